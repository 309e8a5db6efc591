"""ListenBrainz's export: when a listen ended and how long it was, by what the players said; and every form it comes in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from contract.errors import UsageError
from lab.importers.audit import audit_of
from lab.importers.history import NO_OBJECT, NO_PLAYED, NO_TIME
from lab.importers.listenbrainz import ASSUMED_MS, NO_LENGTH, NO_LISTENED, NO_NAME, take_listenbrainz
from lab.importers.taken import Taken
from tests.desk import valid_events
from tests.exports import SECRETS, as_json, as_lines, as_zip, fixture, listen, placed
from tests.saying import Say

BEGAN_MS = 1_709_324_100_000
SENTINEL = listen(listened_at=1_600_000_000)
LINES = as_lines(listen(), listen(listened_at=1_709_324_400))


@pytest.fixture
def take(tmp_path: Path) -> Any:
    def run(*rows: Any) -> Taken:
        return take_listenbrainz(placed(tmp_path / "listens.jsonl", as_lines(*rows)))

    return run


@pytest.mark.parametrize(
    ("name", "rows", "refused", "events", "lengths"),
    [("listenbrainz_listens.jsonl", 2, 0, 2, 2), ("listenbrainz_mixed_validity.jsonl", 5, 2, 3, 0)],
)
def test_each_fixture_has_the_counts_known_beforehand(
    tmp_path: Path, name: str, rows: int, refused: int, events: int, lengths: int
) -> None:
    path = fixture(name)
    known = [json.loads(line) for line in path.read_text().splitlines()]
    usable = [row for row in known if row["track_metadata"]["artist_name"] and row["track_metadata"]["track_name"]]
    said = [row["track_metadata"].get("additional_info", {}).get("duration_ms") for row in usable]
    taken = take_listenbrainz(path)
    report = taken.report
    assert (report.rows, sum(report.refused.values()), report.doubled, report.events) == (rows, refused, 0, events)
    assert (len(known), len(known) - len(usable), len(usable), len([ms for ms in said if ms])) == (rows, refused, events, lengths)
    assert (report.rules[NO_LISTENED], report.rules[NO_LENGTH]) == (lengths, events - lengths)
    taken.write(tmp_path / "out")
    heard = valid_events(tmp_path / "out")
    assert sum(event.ms_played for event in heard) == sum(ms or 200_000 for ms in said)
    assert [event.ts_ms for event in heard] == sorted(
        row["listened_at"] * 1000 + (ms or 0) for row, ms in zip(usable, said, strict=True)
    )


def test_what_the_api_answers_is_read_too(tmp_path: Path) -> None:
    answer = fixture("spotify_recently_played_expected.json")
    listens = json.loads(answer.read_bytes())["payload"]["listens"]
    taken = take_listenbrainz(answer)
    assert taken.report.events == len(listens) == 1
    info = listens[0]["track_metadata"]["additional_info"]
    assert taken.events.ts_ms.tolist() == [listens[0]["listened_at"] * 1000 + info["duration_ms"]]
    assert "user_name" in taken.fields.dropped


@pytest.mark.parametrize(
    "name",
    ["librefm.csv", "maloja.json", "panoscrobbler.jsonl", "scrobbler.log", "spotify_recently_played_submitted.json"],
)
@pytest.mark.parametrize("source", ["spotify", "listenbrainz"])
def test_the_export_of_another_service_is_refused_in_one_line(say: Say, tmp_path: Path, name: str, source: str) -> None:
    assert say("import", source, fixture(name), "--out", "log").refusal
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("info", "ended_after_ms", "played_ms", "duration_ms", "gap"),
    [
        ({}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": 206_760}, 206_760, 206_760, 206_760, NO_LISTENED),
        ({"duration": 206}, 206_000, 206_000, 206_000, NO_LISTENED),
        ({"duration": 206.76}, 206_760, 206_760, 206_760, NO_LISTENED),
        ({"duration_ms": "206760"}, 206_760, 206_760, 206_760, NO_LISTENED),
        ({"duration_ms": 206_760, "duration": 9}, 206_760, 206_760, 206_760, NO_LISTENED),
        ({"duration_ms": 206_760, "duration_played": 30}, 30_000, 30_000, 206_760, None),
        ({"duration_played": 30}, 30_000, 30_000, None, None),
        ({"duration_played": 0}, 0, 0, None, None),
        ({"duration_ms": 0}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": -5}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": 10**12}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": "long"}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": "nan"}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": "1e999"}, 0, ASSUMED_MS, None, NO_LENGTH),
        ({"duration_ms": 10**30}, 0, ASSUMED_MS, None, NO_LENGTH),
    ],
)
def test_a_listen_ends_when_what_is_known_of_its_length_is_over(
    take: Any, info: dict[str, Any], ended_after_ms: int, played_ms: int, duration_ms: int | None, gap: str | None
) -> None:
    taken = take(listen(info))
    event = taken.events.to_records()[0]
    assert (event.ts_ms - BEGAN_MS, event.ms_played, event.duration_ms) == (ended_after_ms, played_ms, duration_ms)
    assert [rule for rule in (NO_LENGTH, NO_LISTENED) if taken.report.rules[rule]] == ([gap] if gap else [])


def test_a_listen_is_music_under_a_readable_id(take: Any) -> None:
    taken = take(listen({"duration_ms": 200_000}))
    event, item = taken.events.to_records()[0], taken.catalogue.items["track:the lanterns/slow tide"]
    assert (event.user_id, event.kind, event.device, event.country, event.utc_offset_min) == ("me", "music", "desktop", "ZZ", 0)
    assert (item.title, item.artist, item.show, item.genre, item.duration_ms) == (
        "Slow Tide",
        "The Lanterns",
        None,
        None,
        200_000,
    )


FORMS = {
    "lines": LINES,
    "lines without an end": LINES.rstrip(),
    "blank lines": LINES.replace(b"\n", b"\r\n\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + LINES,
    "array": as_json(listen(), listen(listened_at=1_709_324_400)),
    "array over lines": json.dumps([listen(), listen(listened_at=1_709_324_400)], indent=2).encode(),
    "answer": json.dumps({"payload": {"count": 2, "listens": [listen(), listen(listened_at=1_709_324_400)]}}).encode(),
    "answer over lines": json.dumps({"payload": {"listens": [listen(), listen(listened_at=1_709_324_400)]}}, indent=1).encode(),
    "gzip": gzip.compress(LINES),
    "zip": as_zip({"listens/2024/3.jsonl": LINES}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_export_gives_the_same_listens(tmp_path: Path, form: str, take: Any) -> None:
    found = take_listenbrainz(placed(tmp_path / "export", FORMS[form]))
    assert found.events.to_records() == take(listen(), listen(listened_at=1_709_324_400)).events.to_records()
    assert (found.report.rows, found.report.events) == (2, 2)


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_of_an_export_only_the_listens_are_read(tmp_path: Path, packed: bool) -> None:
    months = {f"listens/2024/{month}.jsonl": as_lines(listen(listened_at=1_704_067_200 + month * 2_592_000)) for month in (1, 2)}
    others = dict.fromkeys(("user.json", "feedback.jsonl", "pinned_recording.jsonl"), b"no JSON at all")
    path = tmp_path / "export"
    if packed:
        placed(path, as_zip({**others, **months}))
    for name, content in {**others, **months}.items() if not packed else ():
        placed(path / name, content)
    report = take_listenbrainz(path).report
    assert (report.events, report.files) == (2, {"left out: no listening history": 3, "files read": 2})


def test_files_beside_each_other_are_read_without_the_folder_of_an_export(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.json", "user.json", "notes.txt"):
        placed(tmp_path / "mine" / name, LINES)
    report = take_listenbrainz(tmp_path / "mine").report
    assert (report.rows, report.events, report.doubled, report.files["files read"]) == (4, 2, 2, 2)


REFUSED: list[tuple[Any, str]] = [
    (listen(listened_at=None), NO_TIME),
    (listen(listened_at=0), NO_TIME),
    (listen(listened_at=1e300), NO_TIME),
    (listen(listened_at=BEGAN_MS), NO_TIME),
    ({"score": 1, "recording_msid": "0"}, NO_TIME),
    (listen(track_metadata=None), NO_NAME),
    (listen(track_metadata={"artist_name": "", "track_name": "x"}), NO_NAME),
    (listen(track_metadata={"artist_name": "x", "track_name": " "}), NO_NAME),
    (listen({"duration_played": -1}), NO_PLAYED),
    (listen({"duration_played": 86_401}), NO_PLAYED),
    (listen(listened_at="1709324100"), NO_OBJECT),
    (listen(listened_at=True), NO_OBJECT),
    (listen(track_metadata=[]), NO_OBJECT),
    (listen({"duration_ms": [1]}), NO_OBJECT),
    ([], NO_OBJECT),
    (7, NO_OBJECT),
    ({"payload": {"listens": [3]}}, NO_OBJECT),
]


@pytest.mark.parametrize(("row", "why"), REFUSED)
def test_a_row_that_is_no_listen_is_refused_by_its_reason(take: Any, row: Any, why: str) -> None:
    report = take(SENTINEL, row).report
    assert (report.rows, report.events) == (2, 1)
    assert {reason: count for reason, count in report.refused.items() if count} == {why: 1}


def test_a_repeated_listen_is_doubled(take: Any) -> None:
    report = take(listen(), listen(inserted_at=5), listen({"spotify_id": "x"}), listen(listened_at=1_709_324_101)).report
    assert (report.rows, report.events, report.doubled) == (4, 2, 2)


def test_nothing_personal_is_kept(take: Any, tmp_path: Path) -> None:
    taken = take(listen())
    taken.write(tmp_path / "out")
    told = repr((taken.events.to_records(), taken.catalogue, taken.report.document(), audit_of(taken).document()))
    files = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert secret not in told
        assert not any(secret.encode() in content for content in files)
    assert {"user_name", "track_metadata.additional_info.submission_client"} <= set(taken.fields.dropped)


@pytest.mark.parametrize("end", [b'{"listened_at": 17093', b"nonsense", b"[" * 5000])
def test_a_line_that_is_cut_short_is_named(tmp_path: Path, end: bytes) -> None:
    with pytest.raises(UsageError, match=r"^listens.jsonl, line 4, (holds no list of listens|cannot be read)"):
        take_listenbrainz(placed(tmp_path / "listens.jsonl", LINES + b"\n" + end))


def test_the_command_brings_it_and_the_log_is_played(say: Say, tmp_path: Path) -> None:
    placed(tmp_path / "lb.zip", as_zip({"listens/2024/3.jsonl": LINES, "user.json": b"{}"}))
    report = say("import", "listenbrainz", "lb.zip", "--out", "log", "--json").document
    assert [report[name] for name in ("source", "rows", "events", "doubled", "days")] == ["ListenBrainz", 2, 2, 0, 1]
    assert len(valid_events(tmp_path / "log")) == 2
