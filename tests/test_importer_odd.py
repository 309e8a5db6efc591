"""Odd tables and mappings: what they hold is kept, counted or refused in one line, never guessed and never half imported."""

from __future__ import annotations

import pytest

from contract.errors import UsageError
from lab.importers.table import import_tables
from tests.desk import AT_S, DROPPED, HEAD, ITEMS, PLAIN, Desk, items, mapping


@pytest.mark.parametrize("row", [f",7,{AT_S},100", f'"",7,{AT_S},100', f'" ",7,{AT_S},100', f"ann,,{AT_S},100"])
def test_a_row_without_a_listener_or_an_item_is_dropped_and_counted(desk: Desk, row: str) -> None:
    report = desk.take(f"{PLAIN}{row}\n")
    assert {(e.user_id, e.item_id) for e in desk.events()} == {("1", "7"), ("2", "8")}
    assert report.listeners == 2
    assert sum(count for rule, count in report.rules.items() if rule.startswith("dropped")) == 1


@pytest.mark.parametrize("name", ["NA", "nan", "None", "null", "007"])
def test_a_listener_keeps_the_name_that_stands_in_the_file(desk: Desk, name: str) -> None:
    desk.take(f"{PLAIN}{name},7,{AT_S},100\n")
    assert name in {e.user_id for e in desk.events()}


def test_a_listener_has_one_name_in_all_files(desk: Desk) -> None:
    (desk.data / "more.csv").write_text(f"{HEAD}\nann,7,{AT_S},100\n")
    desk.take(f"{PLAIN},7,{AT_S},100\n", mapping(files=["plays.csv", "more.csv"]))
    assert {e.user_id for e in desk.events()} == {"1", "2", "ann"}


@pytest.mark.parametrize("value", ["Sweden", "se", "", "S1"])
def test_a_country_that_is_none_drops_its_row(desk: Desk, value: str) -> None:
    report = desk.take(f"{HEAD},c\n1,7,{AT_S},100,{value}\n2,8,{AT_S},200,SE\n", mapping({"country": "c"}))
    assert report.rules["dropped: no two-letter country"] == 1
    assert [event.country for event in desk.events()] == ["SE"]


def test_namibia_is_a_country(desk: Desk) -> None:
    desk.take(f"{HEAD},c\n1,7,{AT_S},100,NA\n", mapping({"country": "c"}))
    assert [e.country for e in desk.events()] == ["NA"]


@pytest.mark.parametrize("value", ["900", "-721", "+02:00", "", "59.7"])
def test_an_offset_that_is_none_drops_its_row(desk: Desk, value: str) -> None:
    report = desk.take(f"{HEAD},o\n1,7,{AT_S},100,{value}\n2,8,{AT_S},200,60\n", mapping({"utc_offset_min": "o"}))
    assert report.rules["dropped: no offset from UTC in whole minutes"] == 1
    assert {e.utc_offset_min for e in desk.events()} == {60}


@pytest.mark.parametrize("at", ["-5", "inf", "1e18", f"{AT_S}000"])
def test_a_time_that_no_reader_accepts_is_dropped_and_counted(desk: Desk, at: str) -> None:
    assert desk.take(f"{PLAIN}3,7,{at},100\n").rules[DROPPED] == 1
    assert len(desk.events()) == 2


@pytest.mark.parametrize("unit", ["ms", "min", "iso"])
def test_a_wrong_unit_of_the_time_is_refused_with_a_hint(desk: Desk, unit: str) -> None:
    with pytest.raises(UsageError, match="another unit"):
        desk.take(document=mapping({"ts_ms": {"column": "at", "unit": unit}}))


def test_fractions_of_a_second_stand_beside_whole_seconds(desk: Desk) -> None:
    text = f"{HEAD}\n1,7,2021-06-30T03:15:48Z,100\n2,8,2021-06-30T03:15:48.123Z,200\n"
    desk.take(text, mapping({"ts_ms": {"column": "at", "unit": "iso"}}))
    assert len(desk.events()) == 2


@pytest.mark.parametrize("end", [",", ",9,9"])
def test_a_row_longer_than_the_head_shifts_no_column(desk: Desk, end: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        desk.take("\n".join([HEAD, *(row + end for row in PLAIN.splitlines()[1:])]) + "\n")


def test_a_first_row_longer_than_the_head_shifts_no_column(desk: Desk) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        desk.take(f"{HEAD}\n1,7,{AT_S},100,9,9\n2,8,{AT_S},200\n")


@pytest.mark.parametrize("text", [f"{HEAD}\n", f"{HEAD}\n1,7,,100\n"])
def test_a_table_without_a_usable_row_is_refused_as_that(desk: Desk, text: str) -> None:
    with pytest.raises(UsageError, match="no usable row"):
        desk.take(text)
    assert not desk.out.exists()


def test_an_id_longer_than_any_reader_takes_is_not_imported(desk: Desk) -> None:
    report = desk.take(f"{PLAIN}{'x' * 513},7,{AT_S},100\n")
    assert report.rules["dropped: no listener or no item"] == 1
    assert len(desk.events()) == 2


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("id,length,style\n7,80,1\n8,300,2\n", {"columns": {"genre": "style"}}),
        ("id,length,style\n7,80,yes\n8,300,no\n", {"columns": {"explicit": "style"}}),
        ("id,length,style\n7,80,\n8,300,True\n", {"columns": {"explicit": "style"}}),
        ("id,length,style\n7,inf,a\n8,300,b\n9,100,c\n", {}),
        (ITEMS, {"title": "{artist}"}),
        (ITEMS, {"title": "{"}),
    ],
)
def test_an_odd_item_table_is_a_catalogue_all_the_same(desk: Desk, text: str, changes: dict[str, object]) -> None:
    (desk.data / "items.csv").write_text(text)
    assert desk.take(document=mapping(items=items(**changes))).events == 2


@pytest.mark.parametrize(("field", "value"), [("tempo", "fast"), ("release_ms", "May"), ("explicit", "perhaps")])
def test_a_value_that_no_field_has_is_named(desk: Desk, field: str, value: str) -> None:
    (desk.data / "items.csv").write_text(f"id,length,style\n7,80,\n8,300,{value}\n")
    with pytest.raises(UsageError, match=f"'{value}' is no value of '{field}'"):
        desk.take(document=mapping(items=items(columns={field: "style"})))
    assert {path.name for path in desk.root.iterdir()} == {"data", "map.yml"}


@pytest.mark.parametrize("text", ["1: 2\nsource: x\n", "2026-13-45"])
def test_a_mapping_of_odd_yaml_is_refused_in_one_line(desk: Desk, text: str) -> None:
    desk.map.write_text(text)
    with pytest.raises(UsageError):
        import_tables(desk.data, desk.map, desk.out)


def test_an_import_that_fails_leaves_no_draft_and_the_one_before(desk: Desk) -> None:
    desk.take()
    (desk.data / "items.csv").write_text("id,length,style\n7,80,fast\n8,300,2\n")
    with pytest.raises(UsageError):
        desk.take(document=mapping(items=items(columns={"tempo": "style"})), replace=True)
    assert {path.name for path in desk.root.iterdir()} == {"data", "map.yml", "out"}
