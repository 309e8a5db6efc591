"""ListenBrainz: a user's own export (a zip of JSON lines, a file a month), its files, or what its API answers.

A listen says when it *began*. How long the track is, and how long it was listened to, is said by some players and not by others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from contract.catalogue import Item
from contract.windows import DAY_MS, SECOND_MS
from lab.importers.archive import Export, open_export
from lab.importers.history import ME, NO_OBJECT, NO_PLAYED, NO_TIME, NO_ZONE, History, Listen, is_time, readable_id, text_of
from lab.importers.report import REFUSED
from lab.importers.rows import Raw, filled, members_of, rows_of_lines
from lab.importers.taken import Fields, Taken

NO_NAME = "no artist or no title"
NO_LENGTH = "listening time and length unknown: 200 s taken"
NO_LISTENED = "listening time unknown: the track's length taken"
NO_DEVICE = "device unknown: desktop taken"
NO_COUNTRY = "country unknown: ZZ taken"

ASSUMED_MS = 200 * SECOND_MS
"""A usual song. ListenBrainz asks players to send a listen after half of the track or four minutes, so it was no skip."""

_SUFFIXES = (".jsonl", ".json", ".ndjson")
_OTHERS = ("user.json", "feedback.jsonl", "pinned_recording.jsonl")
"""What else lies in an export: the account's name, likings, pins."""

_Number = int | float | str | None


class _Info(msgspec.Struct, gc=False, frozen=True):
    """Durations as players send them; ``duration`` and ``duration_played`` are seconds."""

    duration_ms: _Number = None
    duration: _Number = None
    duration_played: _Number = None


class _Metadata(msgspec.Struct, gc=False, frozen=True):
    artist_name: str | None = None
    track_name: str | None = None
    additional_info: _Info | None = None


class _Row(msgspec.Struct, gc=False, frozen=True):
    """What is looked at of a listen, and nothing else."""

    listened_at: int | float | None = None
    track_metadata: _Metadata | None = None


class _Payload(msgspec.Struct, gc=False, frozen=True):
    listens: list[Raw]


class _Answer(msgspec.Struct, gc=False, frozen=True):
    """What the API answers: listens within a payload."""

    payload: _Payload


_ROWS, _ANSWERS = msgspec.json.Decoder(_Row), msgspec.json.Decoder(_Answer)
_DEEPER = ("track_metadata", "additional_info")
KEPT = frozenset(
    ["listened_at", "track_metadata.artist_name", "track_metadata.track_name"]
    + [f"track_metadata.additional_info.{name}" for name in _Info.__struct_fields__]
)


def take_listenbrainz(path: Path, listener: str = ME) -> Taken:
    """Read a zip, a folder or one file of a ListenBrainz export.

    Raises:
        UsageError: it cannot be read, is no such export, or no row of it is usable.
    """
    history = History("ListenBrainz", Fields(KEPT), listener)
    history.report.declare(NO_ZONE, NO_DEVICE, NO_COUNTRY, NO_LISTENED, NO_LENGTH)
    history.report.declare(*(REFUSED + why for why in (NO_OBJECT, NO_TIME, NO_NAME, NO_PLAYED)))
    with open_export(path) as export:
        history.report.files = export.files
        for name, content in export.contents(_chosen(export)):
            for document in rows_of_lines(name, content):
                for row in _listens(document):
                    _add(row, history)
    return history.taken()


def _chosen(export: Export) -> list[str]:
    """Return the files with listens: those below ``listens/`` where there is such a folder, as in an export."""
    if export.single:
        return export.names
    paths = {name: PurePosixPath(name) for name in export.names}
    found = [name for name, path in paths.items() if path.suffix.lower() in _SUFFIXES and path.name not in _OTHERS]
    return [name for name in found if "listens" in paths[name].parts[:-1]] or found


def _listens(document: Raw) -> list[Raw]:
    """Return the listens of an answer of the API; any other document is one listen."""
    try:
        return _ANSWERS.decode(document).payload.listens
    except msgspec.DecodeError:
        return [document]


def _add(raw: Raw, history: History) -> None:
    history.report.rows += 1
    history.fields.see(_filled(raw))
    found = _judged(raw)
    if isinstance(found, str):
        history.report.refuse(found)
    elif history.add(found[0]):
        for rule in (NO_DEVICE, NO_COUNTRY, *found[1]):
            history.report.count(rule)


def _filled(raw: Raw) -> Iterator[str]:
    """Return the names of the members that hold something, those of the metadata and of its additional information too."""
    prefix, members = "", members_of(raw)
    for deeper in _DEEPER:
        yield from (prefix + name for name in filled(members) if name != deeper)
        prefix, members = f"{prefix}{deeper}.", members_of(members[deeper]) if deeper in members else {}
    yield from (prefix + name for name in filled(members))


def _judged(raw: Raw) -> tuple[Listen, list[str]] | str:
    """Return the listen that a row is, with the rules that filled its gaps; or why it is none."""
    try:
        row = _ROWS.decode(raw)
    except msgspec.DecodeError:
        return NO_OBJECT
    began_ms, metadata = _ms(row.listened_at, SECOND_MS), row.track_metadata or _Metadata()
    if began_ms is None or not is_time(began_ms):
        return NO_TIME
    artist, title = text_of(metadata.artist_name), text_of(metadata.track_name)
    if artist is None or title is None:
        return NO_NAME
    info = metadata.additional_info or _Info()
    length_ms, listened_ms = _length_ms(info), _ms(info.duration_played, SECOND_MS)
    if listened_ms is not None and not 0 <= listened_ms <= DAY_MS:
        return NO_PLAYED
    known_ms = length_ms if listened_ms is None else listened_ms
    gaps = [] if listened_ms is not None else [NO_LENGTH if length_ms is None else NO_LISTENED]
    item = Item(readable_id("track", artist, title), title, artist, duration_ms=length_ms)
    played_ms = ASSUMED_MS if known_ms is None else known_ms
    return Listen(item, "music", began_ms + (known_ms or 0), played_ms, length_ms, "desktop", "ZZ"), gaps


def _length_ms(info: _Info) -> int | None:
    """Return how long the track is; None where nobody said, or said what no track is."""
    length_ms = _ms(info.duration_ms, 1)
    if length_ms is None:
        length_ms = _ms(info.duration, SECOND_MS)
    return length_ms if length_ms is not None and 1 <= length_ms <= DAY_MS else None


def _ms(value: _Number, unit_ms: int) -> int | None:
    """Return whole milliseconds of a number, also where a player sent it as text; None where it is none, or not finite."""
    try:
        return round(float(value) * unit_ms) if value is not None else None
    except (ValueError, OverflowError):  # no number; not a number; or no end to it
        return None
