"""CSV and Parquet by a mapping: what becomes of each row, what is counted, what is refused; nothing is left half done."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from contract.errors import UsageError
from contract.windows import DAY_MS, parse_instant
from lab.cli import main
from lab.folder import FolderSource
from lab.importers.table import import_tables
from tests.desk import AT_S, DROPPED, HEAD, ITEMS, PARTITIONS, PLAIN, Desk, items, mapping, played, valid_events

EXAMPLE = Path(__file__).parent.parent / "examples" / "situnes-mapping.yml"


def test_a_row_becomes_an_event_that_every_reader_accepts(desk: Desk) -> None:
    desk.take(document=mapping(constants={"kind": "podcast", "device": "car", "country": "CN", "utc_offset_min": 480}))
    first = desk.events()[0]
    assert (first.user_id, first.item_id, first.ts_ms, first.received_at_ms) == ("1", "7", AT_S * 1000, AT_S * 1000)
    assert (first.ms_played, first.duration_ms, first.kind, first.device) == (100_000, None, "podcast", "car")
    assert (first.country, first.utc_offset_min) == ("CN", 480)


def test_columns_may_stand_in_for_constants(desk: Desk) -> None:
    names = {"kind": "k", "device": "d", "country": "c", "utc_offset_min": "o"}
    desk.take(f"{HEAD},k,d,c,o\nann,7,{AT_S},100,podcast,web,SE,-60\n", mapping(names))
    event = desk.events()[0]
    assert (event.kind, event.device, event.country, event.utc_offset_min) == ("podcast", "web", "SE", -60)


def test_events_of_all_files_stand_in_the_order_of_time_with_an_id_each(desk: Desk) -> None:
    (desk.data / "more.csv").write_text(f"{HEAD}\n3,7,{AT_S + 20},100\n")
    desk.take(document=mapping(files=["plays.csv", "more.csv"]))
    source = FolderSource.open(desk.out, None)
    assert [key for _, key, _ in source.messages(0, PARTITIONS)] == [b"1", b"3", b"2"]
    assert len({event.event_id for event in desk.events()}) == 3


def test_a_day_without_events_has_no_night(desk: Desk) -> None:
    desk.take(f"{HEAD}\n1,7,{AT_S},100\n1,8,{AT_S + 2 * 86_400},100\n")
    source = FolderSource.open(desk.out, None)
    assert (source.days, source.midnight(0)) == (3, parse_instant("2021-06-30"))
    assert [source.has_night(day) for day in range(3)] == [True, False, True]


def test_whole_numbers_of_parquet_name_the_same_listeners_as_those_of_csv(desk: Desk) -> None:
    frame = pd.DataFrame({"user": [1.0, 2.0], "item": [7, 8], "at": [AT_S, AT_S], "played": [100.0, 200.0]})
    frame.to_parquet(desk.data / "plays.parquet")
    desk.take(document=mapping(files=["plays.csv", "plays.parquet"]))
    assert sorted(event.user_id for event in desk.events()) == ["1", "1", "2", "2"]


@pytest.mark.parametrize(("unit", "factor"), [("ms", 1), ("s", 1_000), ("min", 60_000)])
def test_times_have_the_unit_that_the_mapping_says(desk: Desk, unit: str, factor: int) -> None:
    row = f"{HEAD}\n1,7,{AT_S * 1000 / factor},{180_000 / factor}\n"
    desk.take(row, mapping({"ts_ms": {"column": "at", "unit": unit}, "ms_played": played(unit)}))
    assert [(event.ts_ms, event.ms_played) for event in desk.events()] == [(AT_S * 1000, 180_000)]


def test_instants_may_be_written_as_text_with_their_zone(desk: Desk) -> None:
    text = f"{HEAD}\n1,7,2021-06-30T03:15:48Z,100\n2,8,2021-06-30T05:15:48+02:00,200\n"
    desk.take(text, mapping({"ts_ms": {"column": "at", "unit": "iso"}}))
    assert {event.ts_ms for event in desk.events()} == {AT_S * 1000}


# played: missing, longer than the item, of an unknown item, missing of an unknown item; and a row without a time
RULED = f"{HEAD}\n1,7,{AT_S},\n1,8,{AT_S},400\n1,9,{AT_S},300\n1,9,{AT_S},\n1,7,,60\n"
TWICE, UNKNOWN = {"items named twice: the last one holds": 0}, {"item not in the item table": 1}
NAMED = {"dropped: no listener or no item": 0}
APPLIED = {
    "listening time missing: the item's duration taken": 1,
    "listening time longer than the item: clipped to it": 1,
}


@pytest.mark.parametrize(
    ("rules", "kept_s", "counts"),
    [
        ({"missing": "item-duration", "longer": "clip"}, [80, 300, 300], {**TWICE, **APPLIED, DROPPED: 2, **NAMED, **UNKNOWN}),
        ({}, [300, 400], {**TWICE, DROPPED: 3, **NAMED, **UNKNOWN}),
    ],
    ids=["declared", "not declared"],
)
def test_a_rule_acts_only_where_it_is_declared_and_counts_its_rows(
    desk: Desk, rules: dict[str, str], kept_s: list[int], counts: dict[str, int]
) -> None:
    report = desk.take(RULED, mapping({"ms_played": played(**rules)}, items=items()))
    assert sorted(event.ms_played // 1000 for event in desk.events()) == kept_s
    assert (report.rows, report.events, report.rules) == (5, len(kept_s), counts)


def test_of_an_item_named_twice_the_last_one_holds(desk: Desk) -> None:
    (desk.data / "items.csv").write_text(f"{ITEMS}7,90,jazz\n")
    report = desk.take(document=mapping(items=items(title="Track {item_id}", columns={"genre": "style"})))
    assert report.rules["items named twice: the last one holds"] == 1
    found = FolderSource.open(desk.out, None).catalogue.items
    assert (found["7"].title, found["7"].genre, found["7"].duration_ms) == ("Track 7", "jazz", 90_000)
    assert found["8"].genre is None


@pytest.mark.parametrize("seconds", [-1, 86_401])
def test_nobody_listens_for_less_than_nothing_or_more_than_a_day(desk: Desk, seconds: int) -> None:
    report = desk.take(f"{PLAIN}3,9,{AT_S},300\n3,7,{AT_S},{seconds}\n3,8,{AT_S},86400\n")
    assert report.rules[DROPPED] == 1
    assert max(event.ms_played for event in desk.events()) == DAY_MS


def test_the_command_line_prints_the_report_that_lies_beside_the_events(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.take()
    again = ["skewlab", "import", "csv", desk.data, "--mapping", desk.map, "--out", desk.root / "again", "--json"]
    monkeypatch.setattr("sys.argv", list(map(str, again)))
    main()
    report = msgspec.json.decode(capsys.readouterr().out)
    assert report == msgspec.json.decode((desk.out / "import.json").read_bytes())
    assert [report[name] for name in ("rows", "events", "listeners", "items", "days")] == [2, 2, 2, 2, 1]


REFUSED: dict[str, tuple[str | bytes, Any, str]] = {
    "unit of listening": (PLAIN, mapping({"ms_played": played("ms")}), "median of ms_played is 150 ms .*unit: s, min, iso"),
    "unit of items": (PLAIN, mapping(items=items(duration={"column": "length"})), "the items' duration is 190 ms .*unit: s, min"),
    "column": (PLAIN, mapping({"item_id": "song"}), "no column 'song' for item_id. the table has user, item, at, played"),
    "items' key": (PLAIN, mapping(items=items(key="song")), "no column 'song' .* has id, length, style"),
    "items' field": (PLAIN, mapping(items=items(columns={"colour": "style"})), "'colour' is no field .*known are artist"),
    "device": (f"{HEAD},d\n1,7,{AT_S},100,fridge\n", mapping({"device": "d"}), "'fridge' is no device. known are phone"),
    "kind": (f"{HEAD},k\n1,7,{AT_S},100,book\n", mapping({"kind": "k"}), "'book' is no kind. known are music, podcast"),
    "delimiter": (PLAIN.replace(",", ";"), mapping(), "no column 'user' .*user;item;at;played"),
    "nothing": ("", mapping(), "plays.csv cannot be read"),
    "quote": (PLAIN.replace("1,7", '1,"7'), mapping(), "plays.csv cannot be read"),
    "Latin-1": (PLAIN.replace("1,7", "Zoë,7").encode("latin-1"), mapping(), "'utf-8' codec can't decode"),
    "UTF-16": (PLAIN.encode("utf-16"), mapping(), "'utf-8' codec can't decode"),
    "no file": (PLAIN, mapping(files=["none.csv"]), "no none.csv in .*Name the folder that holds it"),
    "no Parquet": (PLAIN, mapping(files=["text.parquet"]), "text.parquet cannot be read"),
    "parent": (PLAIN, mapping(files=["../outside.csv"]), "'../outside.csv'. it lies outside the data's folder"),
    "absolute": (PLAIN, mapping(files=["/outside.csv"]), "it lies outside the data's folder"),
    "link": (PLAIN, mapping(files=["link.csv"]), "it lies outside the data's folder"),
    "items' file": (PLAIN, mapping(items=items(file="../outside.csv")), "it lies outside the data's folder"),
    "unknown key": (PLAIN, mapping({"colour": "c"}), "wrong at 'columns.colour'"),
    "unknown unit": (PLAIN, mapping({"ms_played": played("hours")}), "wrong at 'columns.ms_played.unit'"),
    "no files": (PLAIN, mapping(files=[]), "wrong at 'files'"),
    "no mapping": (PLAIN, ["a list"], "wrong at 'the file'"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_is_wrong_is_named_in_one_line_and_nothing_is_left(desk: Desk, wrong: str) -> None:
    (desk.root / "outside.csv").write_text(PLAIN)
    (desk.data / "link.csv").symlink_to(desk.root / "outside.csv")
    (desk.data / "text.parquet").write_text(PLAIN)
    plays, document, says = REFUSED[wrong]
    with pytest.raises(UsageError) as caught:
        desk.take(plays, document)
    assert re.fullmatch(f".*{says}.*", str(caught.value))  # the dot takes no line break
    assert {path.name for path in desk.root.iterdir()} == {"data", "map.yml", "outside.csv"}


@pytest.mark.parametrize("content", [b"", b"a: [", bytes(range(256)), b"!!python/object/apply:os.getcwd []", None])
def test_a_mapping_that_cannot_be_read_is_refused_in_one_line(desk: Desk, content: bytes | None) -> None:
    if content is not None:
        desk.map.write_bytes(content)
    with pytest.raises(
        UsageError, match=r"^The mapping .*map.yml (cannot be read|is wrong at 'the file')|^There is no mapping "
    ) as caught:
        import_tables(desk.data, desk.map, desk.out)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_that_is_no_import_is_never_touched(desk: Desk, replace: bool) -> None:
    desk.out.mkdir()
    (desk.out / "mine").write_text("kept")
    with pytest.raises(UsageError, match="is there already"):
        desk.take(replace=replace)
    assert [path.name for path in desk.out.iterdir()] == ["mine"]


def test_an_import_gives_way_to_the_next_only_where_that_was_asked(desk: Desk) -> None:
    desk.take()
    with pytest.raises(UsageError, match="is there already"):
        desk.take(f"{HEAD}\n3,7,{AT_S},100\n")
    assert {event.user_id for event in desk.events()} == {"1", "2"}
    desk.take(f"{HEAD}\n3,7,{AT_S},100\n", replace=True)
    assert {event.user_id for event in desk.events()} == {"3"}


def test_a_byte_order_mark_and_accents_do_no_harm(desk: Desk) -> None:
    desk.take(PLAIN.replace("1,7", "Zoë,7").encode("utf-8-sig"))
    assert {event.user_id for event in desk.events()} == {"Zoë", "2"}


def test_the_situnes_study_is_counted_as_a_reader_of_its_files_counts(tmp_path: Path) -> None:
    if "SKEWLAB_DATA" not in os.environ:
        pytest.skip("SKEWLAB_DATA does not name the folder of the SiTunes study")
    folder = Path(os.environ["SKEWLAB_DATA"]) / "situnes"
    report = import_tables(folder, EXAMPLE, tmp_path / "out")
    plays = pd.concat([pd.read_csv(folder / f"Stage{stage}/interactions.csv") for stage in (1, 2, 3)])
    tracks = pd.read_csv(folder / "music_metadata/music_info.csv")
    track_s = plays["item_id"].map(tracks.drop_duplicates("item_id", keep="last").set_index("item_id")["duration"] / 1000)
    missing, longer = plays["duration"].isna(), plays["duration"] > track_s
    assert (report.rows, report.listeners, report.days) == (2_006, 30, 77)
    assert report.rules == {
        "items named twice: the last one holds": int(tracks["item_id"].duplicated().sum()),
        "listening time missing: the item's duration taken": int((missing & track_s.notna()).sum()),
        "listening time longer than the item: clipped to it": int(longer.sum()),
        DROPPED: int((missing & track_s.isna()).sum()),
        "dropped: no listener or no item": 0,
        "item not in the item table": int(track_s.isna().sum()),
    }
    events = valid_events(tmp_path / "out")
    heard_s = np.minimum(plays["duration"].fillna(track_s), track_s.fillna(np.inf)).dropna()
    assert len(events) == report.events == len(heard_s)
    assert sum(event.ms_played for event in events) == (heard_s * 1000).round().sum()
