"""Spotify's own export: the extended streaming history, old and new, and the basic one of the account data.

The facts that shape this, as exports have them: ``ts`` and ``endTime`` are UTC and say when the stream *ended*; a row is about a
track, an episode or a chapter, and the fields of the others are null; the two schemas, audio and video files name them alike; no
row knows how long the track is; rows occur twice; ``skipped``, ``reason_*`` and ``offline_timestamp`` cannot be relied upon.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec

from contract.catalogue import Item
from contract.errors import UsageError
from contract.windows import DAY_MS, parse_instant
from lab.importers.archive import Export, open_export
from lab.importers.history import (
    ME,
    NO_OBJECT,
    NO_PLAYED,
    NO_TIME,
    NO_ZONE,
    Device,
    History,
    Kind,
    Listen,
    fits,
    is_time,
    readable_id,
    text_of,
)
from lab.importers.report import REFUSED
from lab.importers.rows import Raw, filled, members_of, rows_of_list
from lab.importers.taken import Fields, Taken

NO_ITEM = "no track, episode or chapter"
NO_DEVICE = "device unknown: desktop taken"
NO_COUNTRY = "country unknown: ZZ taken"

DEVICES: tuple[tuple[Device, tuple[str, ...]], ...] = (
    ("web", ("web", "webplayer")),
    ("car", ("car", "carplay", "android auto", "car thing")),
    ("speaker", ("cast", "chromecast", "google home", "speaker", "sonos", "echo", "alexa", "homepod")),
    ("phone", ("android", "ios", "iphone", "ipad", "ipod")),
    ("desktop", ("windows", "mac", "macos", "os x", "osx", "linux")),
)
"""Words in ``platform``, between anything but letters. The first line that has one holds: "web_player windows 10" is the web."""


class _Row(msgspec.Struct, gc=False, frozen=True):
    """What is looked at of a row, and nothing else: names on the left are the newer schema's or, renamed, the basic one's."""

    ts: str | None = None
    ms_played: int | None = None
    platform: str | None = None
    conn_country: str | None = None
    master_metadata_track_name: str | None = None
    master_metadata_album_artist_name: str | None = None
    spotify_track_uri: str | None = None
    episode_name: str | None = None
    episode_show_name: str | None = None
    spotify_episode_uri: str | None = None
    audiobook_title: str | None = None
    audiobook_uri: str | None = None
    audiobook_chapter_title: str | None = None
    audiobook_chapter_uri: str | None = None
    end_time: str | None = msgspec.field(default=None, name="endTime")
    basic_played: int | None = msgspec.field(default=None, name="msPlayed")
    track_name: str | None = msgspec.field(default=None, name="trackName")
    artist_name: str | None = msgspec.field(default=None, name="artistName")
    basic_episode: str | None = msgspec.field(default=None, name="episodeName")
    podcast_name: str | None = msgspec.field(default=None, name="podcastName")
    chapter_name: str | None = msgspec.field(default=None, name="chapterName")
    audiobook_name: str | None = msgspec.field(default=None, name="audiobookName")


_ROWS = msgspec.json.Decoder(_Row)
KEPT = frozenset(_Row.__struct_encode_fields__)

_EXTENDED = re.compile(r"(endsong|Streaming_History_).*\.json", re.IGNORECASE)
_BASIC = re.compile(r"StreamingHistory.*\.json", re.IGNORECASE)
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z?")
_COUNTRY = re.compile(r"[A-Z]{2}")


def take_spotify(path: Path, listener: str = ME) -> Taken:
    """Read a zip, a folder or one JSON file of a Spotify export.

    Raises:
        UsageError: it cannot be read, is no such export, or no row of it is usable.
    """
    history = History("Spotify", Fields(KEPT), listener)
    history.report.declare(NO_ZONE, NO_DEVICE, NO_COUNTRY, *(REFUSED + why for why in (NO_OBJECT, NO_TIME, NO_PLAYED, NO_ITEM)))
    with open_export(path) as export:
        history.report.files = export.files
        for name, content in export.contents(_chosen(export)):
            for row in rows_of_list(name, content):
                _add(row, history)
    return history.taken()


def _chosen(export: Export) -> list[str]:
    """Return the files with listens. The basic history says again, to the minute, what the extended one says to the second."""
    if export.single:
        return export.names
    extended, basic = (
        [name for name in export.names if kind.fullmatch(PurePosixPath(name).name)] for kind in (_EXTENDED, _BASIC)
    )
    return extended or basic


def _add(raw: Raw, history: History) -> None:
    history.report.rows += 1
    history.fields.see(filled(members_of(raw)))
    found = _judged(raw)
    if isinstance(found, str):
        history.report.refuse(found)
    elif history.add(found[0]):
        for rule in found[1]:
            history.report.count(rule)


def _judged(raw: Raw) -> tuple[Listen, list[str]] | str:
    """Return the listen that a row is, with the rules that filled its gaps; or why it is none."""
    try:
        row = _ROWS.decode(raw)
    except msgspec.DecodeError:
        return NO_OBJECT
    ended, played, about = _ended(row), row.basic_played if row.ms_played is None else row.ms_played, _about(row)
    if ended is None:
        return NO_TIME
    if played is None or not 0 <= played <= DAY_MS:
        return NO_PLAYED
    if about is None:
        return NO_ITEM
    device, country = device_of(row.platform or ""), _country(row)
    gaps = [rule for rule, known in ((NO_DEVICE, device), (NO_COUNTRY, country)) if known is None]
    return Listen(about[1], about[0], ended, played, None, device or "desktop", country or "ZZ"), gaps


def _ended(row: _Row) -> int | None:
    text = row.ts or row.end_time
    if not text or not _INSTANT.fullmatch(text):
        return None
    try:
        at_ms = parse_instant(text)
    except UsageError:
        return None
    return at_ms if is_time(at_ms) else None


def _about(row: _Row) -> tuple[Kind, Item] | None:
    """Return what was listened to. A chapter is an episode of its book; its identifiers look like an episode's and a show's."""
    book = text_of(row.audiobook_title or row.audiobook_name)
    chapter = text_of(row.audiobook_chapter_title or row.chapter_name)
    if found := _item("chapter", row.audiobook_chapter_uri or row.audiobook_uri, chapter or book, book):
        return "podcast", found
    episode, show = text_of(row.episode_name or row.basic_episode), text_of(row.episode_show_name or row.podcast_name)
    if found := _item("episode", row.spotify_episode_uri, episode, show):
        return "podcast", found
    track, artist = (
        text_of(row.master_metadata_track_name or row.track_name),
        text_of(row.master_metadata_album_artist_name or row.artist_name),
    )
    found = _item("track", row.spotify_track_uri, track, artist)
    return ("music", found) if found else None


def _item(sort: str, uri: str | None, title: str | None, whose: str | None) -> Item | None:
    """Return an item under Spotify's identifier, else under one made of its names; None where it has neither."""
    item_id = uri.strip() if uri and fits(uri) else ""
    if not item_id and not title:
        return None
    artist, show = (whose, None) if sort == "track" else (None, whose)
    return Item(item_id or readable_id(sort, whose, title or ""), title or item_id, artist, show)


@lru_cache(maxsize=4096)
def device_of(platform: str) -> Device | None:
    """Return the device that a platform is, by ``DEVICES``; None where nobody knows."""
    words = f" {' '.join(re.findall('[a-z]+', platform.lower()))} "
    return next((device for device, known in DEVICES if any(f" {word} " in words for word in known)), None)


def _country(row: _Row) -> str | None:
    code = (row.conn_country or "").strip().upper()
    return code if _COUNTRY.fullmatch(code) else None
