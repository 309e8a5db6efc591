"""The rows of Spotify's exports, one by one: what is refused and why, what is doubled, which device, country and id they get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.errors import UsageError
from contract.event import DEVICES
from contract.windows import DAY_MS
from lab.importers.history import NO_OBJECT, NO_PLAYED, NO_TIME, NO_ZONE, readable_id
from lab.importers.spotify import NO_COUNTRY, NO_ITEM, device_of, take_spotify
from lab.importers.taken import Taken
from tests.desk import valid_events
from tests.exports import as_json, extended, old, placed

SENTINEL = extended(ts="2020-01-01T00:00:00Z")
"""A row that is always taken, so that a file of refused rows has a usable one."""


@pytest.fixture
def take(tmp_path: Path) -> Any:
    def run(*rows: Any) -> Taken:
        return take_spotify(placed(tmp_path / "export.json", as_json(*rows)))

    return run


REFUSED: list[tuple[dict[str, Any] | Any, str]] = [
    (extended(ts=None), NO_TIME),
    (extended(ts=""), NO_TIME),
    (extended(ts="yesterday"), NO_TIME),
    (extended(ts="2024-02-30T00:00:00Z"), NO_TIME),
    (extended(ts="2024-03-01"), NO_TIME),
    (extended(ts="1970-01-01T00:00:00Z"), NO_TIME),
    (extended(ts="2100-01-01T00:00:00Z"), NO_TIME),
    (extended(ts="\u0662024-03-01T00:00:00Z"), NO_TIME),
    (extended(ms_played=-1), NO_PLAYED),
    (extended(ms_played=DAY_MS + 1), NO_PLAYED),
    (extended(ms_played=10**40), NO_PLAYED),
    (extended(ms_played=None), NO_PLAYED),
    (extended(spotify_track_uri=None, master_metadata_track_name=None), NO_ITEM),
    (extended(spotify_track_uri=" ", master_metadata_track_name="\t\n"), NO_ITEM),
    (extended(ms_played="180000"), NO_OBJECT),
    (extended(ms_played=True), NO_OBJECT),
    (extended(ms_played=1.5), NO_OBJECT),
    (extended(ts=1709324100), NO_OBJECT),
    (extended(platform=["android"]), NO_OBJECT),
    (["ts"], NO_OBJECT),
    (None, NO_OBJECT),
    ("row", NO_OBJECT),
    ({}, NO_TIME),
]


@pytest.mark.parametrize(("row", "why"), REFUSED)
def test_a_row_that_is_no_listen_is_refused_by_its_reason(take: Any, row: Any, why: str) -> None:
    report = take(row, SENTINEL).report
    assert (report.rows, report.events) == (2, 1)
    assert {reason: count for reason, count in report.refused.items() if count} == {why: 1}


@pytest.mark.parametrize("ms", [0, DAY_MS])
def test_the_longest_and_the_shortest_listen_are_taken(take: Any, ms: int) -> None:
    assert take(extended(ms_played=ms)).events.ms_played.tolist() == [ms]


def test_a_repeated_row_is_doubled_and_written_once(take: Any) -> None:
    same = [extended(), extended(skipped=True, incognito_mode=True), old(), extended(reason_end="fwdbtn", ip_addr="x")]
    other = [extended(ms_played=179_999), extended(ts="2024-03-01T20:15:01Z"), extended(spotify_track_uri="spotify:track:2")]
    report = take(*same, *other).report
    assert (report.rows, report.events, report.doubled) == (7, 4, 3)
    assert report.rules[NO_ZONE] == 4  # a rule counts what is taken
    assert "       3  doubled: the same listen once more" in report.lines()


@pytest.mark.parametrize(
    ("platform", "device"),
    [
        ("android", "phone"), ("Android OS 13 API 33 (samsung, SM-A1)", "phone"), ("ios", "phone"),
        ("iOS 16.1 (iPhone14,2)", "phone"), ("Google Home", "speaker"),
        ("iPhone 11", "phone"), ("web_player windows 10;chrome 120", "web"), ("WebPlayer (websocket RFC6455)", "web"),
        ("Partner google cast_tv;Chromecast;;", "speaker"), ("Partner google cast_voice;Google_Home;;", "speaker"),
        ("Partner sonos_ppc Sonos", "speaker"), ("Partner amazon_salmon Amazon;Echo_Dot;;", "speaker"),
        ("car", "car"), ("Partner android_auto", "car"), ("windows", "desktop"), ("Windows 10 (10.0.19045; x64)", "desktop"),
        ("OS X 13.5.2 [arm 2]", "desktop"), ("osx", "desktop"), ("linux", "desktop"), ("Mac", "desktop"),
        ("", None), ("not_applicable", None), ("Some OS", None), ("scarab", None), ("weblog", None),
        ("Partner SCEI sony_tv;ps4", None),
    ],
)  # fmt: skip
def test_a_platform_is_one_of_the_five_devices_or_unknown(platform: str, device: str | None) -> None:
    assert device_of(platform) == device
    assert device is None or device in DEVICES


@pytest.mark.parametrize(
    ("code", "country"), [("DE", "DE"), ("de", "DE"), ("", "ZZ"), (None, "ZZ"), ("SWE", "ZZ"), ("ÄÖ", "ZZ"), ("1A", "ZZ")]
)
def test_a_country_is_two_letters_or_unknown_and_counted(take: Any, code: str | None, country: str) -> None:
    taken = take(extended(conn_country=code))
    assert taken.events.country.tolist() == [country]
    assert taken.report.rules[NO_COUNTRY] == (country == "ZZ")


def test_an_id_of_names_is_the_same_however_they_are_written() -> None:
    assert readable_id("track", "Sigur Rós", "Hoppípolla") == readable_id("track", " SIGUR  RO\u0301S", "hoppi\u0301polla")
    assert readable_id("track", "AC/DC", "100 %") == "track:ac%2Fdc/100 %25"
    assert readable_id("track", "a/b", "c") != readable_id("track", "a", "b/c")


def test_an_id_that_is_too_long_is_cut_and_stays_apart(take: Any) -> None:
    rows = [extended(spotify_track_uri=None, master_metadata_track_name="x" * 600 + end) for end in "ab"]
    long_uri = extended(spotify_track_uri="spotify:local:" + "y" * 600)
    items = take(*rows, long_uri).catalogue.items
    assert all(len(name) <= 512 for name in items)
    assert len(items) == 2  # titles are cut at 512 characters too, so these two are one
    assert len({readable_id("track", "a", "x" * 600 + end) for end in "ab"}) == 2


@pytest.mark.parametrize("field", ["spotify_track_uri", "master_metadata_track_name", "master_metadata_album_artist_name"])
def test_a_name_of_brackets_is_read_by_every_reader_of_records(take: Any, tmp_path: Path, field: str) -> None:
    take(extended(**{"spotify_track_uri": None, field: "[{" * 250}), extended()).write(tmp_path / "out")
    assert len(valid_events(tmp_path / "out")) == 2


def test_an_export_without_a_usable_row_is_refused_with_the_reasons(take: Any) -> None:
    with pytest.raises(UsageError, match=r"^There is no usable row among 3: 1 with no time.*, 2 with no listening time.*\.$"):
        take(extended(ts=None), extended(ms_played=None), extended(ms_played=-5))
