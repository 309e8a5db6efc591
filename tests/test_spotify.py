"""Spotify's own export: every schema, what becomes of a row, what is counted, and that nothing personal is anywhere after it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.errors import UsageError
from contract.windows import parse_instant
from lab.folder import FolderSource
from lab.importers.audit import audit_of
from lab.importers.history import NO_ZONE
from lab.importers.spotify import NO_COUNTRY, NO_DEVICE, take_spotify
from lab.importers.taken import Taken
from tests.desk import valid_events
from tests.exports import SECRETS, as_json, as_zip, basic, basic_episode, chapter, episode, extended, fixture, old, placed
from tests.saying import Say

TRACK = "spotify:track:0000000000000000000001"


@pytest.fixture
def take(tmp_path: Path) -> Any:
    def run(*rows: Any) -> Taken:
        return take_spotify(placed(tmp_path / "export.json", as_json(*rows)))

    return run


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Count a file of tracks as a reader of its format counts, with plain JSON."""
    usable = [row for row in rows if row["ts"] and row["spotify_track_uri"] and isinstance(row.get("ms_played"), int)]
    kept = {(row["ts"], row["spotify_track_uri"], row["ms_played"]): row for row in usable}.values()
    return {
        "rows": len(rows),
        "refused": len(rows) - len(usable),
        "doubled": len(usable) - len(kept),
        "events": len(kept),
        "items": len({row["spotify_track_uri"] for row in kept}),
        "days": len({row["ts"][:10] for row in kept}),
        "played": sum(row["ms_played"] for row in kept),
        "phones": sum(row["platform"].lower() == "android" for row in kept),
        "nowhere": sum(not re.fullmatch("[A-Z]{2}", row["conn_country"]) for row in kept),
    }


@pytest.mark.parametrize(
    ("name", "rows", "refused", "doubled", "events"),
    [
        ("spotify_streaming_endsong_0.json", 5, 0, 0, 5),
        ("spotify_streaming_2023.json", 5, 0, 0, 5),
        ("spotify_skipped_tracks.json", 15, 1, 2, 12),
    ],
)
def test_each_fixture_has_the_counts_known_beforehand(
    tmp_path: Path, name: str, rows: int, refused: int, doubled: int, events: int
) -> None:
    path = fixture(name)
    taken = take_spotify(path)
    report, known = taken.report, counted(json.loads(path.read_bytes()))
    assert (report.rows, sum(report.refused.values()), report.doubled, report.events) == (rows, refused, doubled, events)
    assert (known["rows"], known["refused"], known["doubled"], known["events"]) == (rows, refused, doubled, events)
    assert (report.items, report.days, report.listeners) == (known["items"], known["days"], 1)
    assert report.rules[NO_COUNTRY] == known["nowhere"]
    assert report.rules[NO_DEVICE] == events - known["phones"]
    taken.write(tmp_path / "out")
    heard = valid_events(tmp_path / "out")
    assert sum(event.ms_played for event in heard) == known["played"]
    assert sum(event.device == "phone" for event in heard) == known["phones"]


@pytest.mark.parametrize("row", [old(), extended()], ids=["old", "new"])
def test_a_row_of_either_schema_becomes_the_same_event(take: Any, row: dict[str, Any]) -> None:
    event = take(row).events.to_records()[0]
    assert (event.ts_ms, event.received_at_ms) == (parse_instant("2024-03-01T20:15:00Z"),) * 2
    assert (event.user_id, event.item_id, event.kind, event.device, event.country) == ("me", TRACK, "music", "phone", "SE")
    assert (event.ms_played, event.duration_ms, event.utc_offset_min, event.rec_id, event.session_hint) == (
        180_000,
        None,
        0,
        None,
        None,
    )


def test_the_catalogue_is_made_of_the_rows_and_knows_no_genre_and_no_duration(take: Any) -> None:
    items = take(extended(), episode(), chapter()).catalogue.items
    assert [(i.title, i.artist, i.show, i.genre, i.duration_ms) for i in items.values()] == [
        ("Of Bridges", None, "Stone and Steel", None, None),
        ("Chapter 2", None, "The Long Shore", None, None),
        ("Slow Tide", "The Lanterns", None, None, None),
    ]


def test_a_chapter_is_an_episode_of_its_book(take: Any) -> None:
    taken = take(episode(), chapter(), extended())
    assert Counter(event.kind for event in taken.events.to_records()) == {"podcast": 2, "music": 1}
    assert taken.catalogue.shows == ("Stone and Steel", "The Long Shore")


def test_of_titles_that_changed_the_latest_listen_holds(take: Any) -> None:
    rows = [extended(ts=f"202{year}-01-01T00:00:00Z", master_metadata_track_name=f"Title of {year}") for year in (3, 4, 2)]
    assert take(*rows).catalogue.items[TRACK].title == "Title of 4"


def test_the_basic_export_has_readable_ids_and_no_device_or_country(tmp_path: Path) -> None:
    files = {
        "StreamingHistory_music_0.json": as_json(basic(), basic(msPlayed=5)),
        "StreamingHistory_podcast_0.json": as_json(basic_episode()),
    }
    book = {"endTime": "2024-03-02 08:00", "audiobookName": "The Long Shore", "chapterName": "Chapter 2", "msPlayed": 60_000}
    files["StreamingHistory_audiobook_0.json"] = as_json({**book, "authorName": "A. Writer"})
    taken = take_spotify(placed(tmp_path / "basic.zip", as_zip(files)))
    assert list(taken.catalogue.items) == [
        "chapter:the long shore/chapter 2", "episode:stone and steel/of bridges", "track:the lanterns/slow tide",
    ]  # fmt: skip
    first = taken.events.to_records()[0]
    assert (first.ts_ms, first.device, first.country) == (parse_instant("2024-03-01T20:15:00Z"), "desktop", "ZZ")
    assert [taken.report.rules[rule] for rule in (NO_ZONE, NO_DEVICE, NO_COUNTRY)] == [4, 4, 4]
    assert taken.report.files == {"files read": 3}


def test_a_basic_history_beside_the_extended_one_says_nothing_new(tmp_path: Path) -> None:
    files = {"a/StreamingHistory0.json": as_json(basic()), "b/Streaming_History_Audio_2024_0.json": as_json(extended())}
    report = take_spotify(placed(tmp_path / "both.zip", as_zip(files))).report
    assert (report.events, report.files) == (1, {"left out: no listening history": 1, "files read": 1})


NAMES = [
    "endsong_0.json",
    "Streaming_History_Audio_2019-2024_3.json",
    "Streaming_History_Video_2020.json",
    "MyData/endsong_12.json",
]
PRIVATE = [
    "MyData/Userdata.json",
    "Identity.json",
    "SearchQueries.json",
    "Playlist1.json",
    "__MACOSX/._endsong_0.json",
    "Read me.pdf",
]


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_of_an_export_only_the_history_is_read(tmp_path: Path, packed: bool) -> None:
    rows = {name: as_json(extended(ts=f"2024-03-0{day}T10:00:00Z")) for day, name in enumerate(NAMES, 1)}
    files = {**rows, **dict.fromkeys(PRIVATE, b"no JSON at all")}
    path = tmp_path / "export"
    if packed:
        placed(path, as_zip(files))
    for name, content in files.items() if not packed else ():
        placed(path / name, content)
    report = take_spotify(path).report
    assert report.files == {"left out: no listening history": len(PRIVATE), "files read": len(NAMES)}
    assert report.events == len(NAMES)


def test_nothing_personal_is_in_any_object_or_file(tmp_path: Path) -> None:
    taken = take_spotify(placed(tmp_path / "e.json", as_json(old(), old(ts=None), extended(), episode(), chapter())))
    taken.write(tmp_path / "out")
    source = FolderSource.open(tmp_path / "out", None)
    told = [taken.events.to_records(), taken.catalogue, taken.report.lines(), taken.report.document(), audit_of(taken).document(),
            audit_of(taken).lines(), source.catalogue, source.messages(0, 4)]  # fmt: skip
    files = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert not any(secret in repr(one) for one in told)
        assert not any(secret.encode() in content for content in files)
    assert {"username", "ip_addr", "ip_addr_decrypted", "user_agent_decrypted", "city", "region"} <= set(taken.fields.dropped)


def test_nothing_personal_of_the_fixtures_is_kept(tmp_path: Path) -> None:
    path = fixture("spotify_skipped_tracks.json")
    personal = {
        value
        for row in json.loads(path.read_bytes())
        for name, value in row.items()
        if name.startswith(("ip_addr", "user")) and value not in (None, "", "unknown")
    }
    taken = take_spotify(path)
    told = repr((taken.events.to_records(), taken.catalogue, taken.report.document(), audit_of(taken).document()))
    assert len(personal) > 2
    assert not any(secret in told for secret in personal)


def test_the_same_listens_are_the_same_log_however_they_lie_in_files(tmp_path: Path) -> None:
    rows = [extended(ms_played=ms) for ms in range(9)]
    one = take_spotify(placed(tmp_path / "one.json", as_json(*rows)))
    files = {"endsong_1.json": as_json(*rows[5::-1]), "endsong_0.json": as_json(*rows[:3:-1])}
    many = take_spotify(placed(tmp_path / "many.zip", as_zip(files)))
    assert many.events.to_records() == one.events.to_records()
    assert many.report.doubled == 2


def test_a_log_stands_in_the_order_of_time_and_every_reader_accepts_it(tmp_path: Path) -> None:
    rows = [extended(ts=f"20{year}-06-{day:02d}T{day:02d}:00:00Z") for year in (24, 21, 22) for day in (9, 1, 20)]
    taken = take_spotify(placed(tmp_path / "e.json", as_json(*rows, episode(ts="2021-06-02T00:00:00Z"))))
    report = taken.write(tmp_path / "out")
    heard = valid_events(tmp_path / "out")
    assert [event.ts_ms for event in heard] == sorted(event.ts_ms for event in heard)
    assert (report.events, report.days, len({event.event_id for event in heard})) == (10, 10, 10)


@pytest.mark.parametrize("name", ["", " ", "x" * 513, "[" * 200])
def test_a_listener_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a listener"):
        take_spotify(placed(tmp_path / "e.json", as_json(extended())), name)


def test_the_command_tells_what_lies_beside_the_log(say: Say, tmp_path: Path) -> None:
    placed(tmp_path / "my.zip", as_zip({"endsong_0.json": as_json(old(), old(), old(ms_played=None))}))
    report = say("import", "spotify", "my.zip", "--out", "log", "--listener", "ann", "--home", "h", "--json").document
    assert report == msgspec.json.decode((tmp_path / "log" / "import.json").read_bytes())
    assert [report[name] for name in ("source", "rows", "events", "doubled", "listeners")] == ["Spotify", 3, 1, 1, 1]
    assert report["rows"] == report["events"] + report["doubled"] + sum(report["refused"].values())
    assert {event.user_id for event in valid_events(tmp_path / "log")} == {"ann"}
    assert say("import", "spotify", "my.zip", "--out", "again").out.startswith("Spotify: 1 of 3 rows, 1 listeners")


@pytest.mark.parametrize(
    "call", [("my.json",), ("none.zip", "--out", "log"), ("my.json", "--out", "there"), ("my.json", "--out", "my.json/x")]
)
def test_a_call_that_cannot_be_is_refused_in_one_line(say: Say, tmp_path: Path, call: tuple[str, ...]) -> None:
    placed(tmp_path / "my.json", as_json(extended()))
    (tmp_path / "there").mkdir()
    assert say("import", "spotify", *call).refusal
    assert {path.name for path in tmp_path.iterdir()} == {"my.json", "there"}
