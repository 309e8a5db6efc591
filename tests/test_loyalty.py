"""A year in review of loyalty data: a toy shop by hand, bad mappings and tables, and the two examples that ship.

The shop's clock is UTC. Ann's purchases::

    2025-03-01 08:00  latte   milk    3.50
    2025-03-02 09:30  latte   milk    3.50        2 days running
    2025-03-02 17:00  mocha   milk    4.00
    2025-04-01 08:00  latte   cold    4.50        a cold latte is another item
    2025-04-05 08:00  drip    filter  2.00

Ben buys two milk drinks for 20.00, Cy nothing with milk.
"""

from __future__ import annotations

import csv
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.errors import UsageError
from lab.wrapped.command import Wanted, wrapped
from tests.saying import Say

EXAMPLES = Path(__file__).parent.parent / "examples" / "wrapped"
HEAD = "card,at,drink,kind,price"
ANN = [
    "ann,2025-03-01T08:00,latte,milk,3.50",
    "ann,2025-03-02T09:30,latte,milk,3.50",
    "ann,2025-03-02T17:00,mocha,milk,4.00",
    "ann,2025-04-01T08:00,latte,cold,4.50",
    "ann,2025-04-05T08:00,drip,filter,2.00",
]
OTHERS = ["ben,2025-03-01T10:00,latte,milk,10", "ben,2025-03-02T10:00,mocha,milk,10", "cy,2025-03-01T10:00,drip,filter,2"]
MAPPING: dict[str, Any] = {
    "member": "card",
    "item": "drink",
    "group": "kind",
    "amount": {"column": "price", "unit": "euros spent"},
    "time": {"column": "at", "unit": "iso"},
    "words": {"title": "A year in coffee", "records": "purchases", "items": "drinks", "group": "kind"},
}


class Shop:
    """A table and its mapping in a folder."""

    def __init__(self, root: Path) -> None:
        self.table, self.map = root / "shop.csv", root / "shop.yml"

    def set(self, rows: list[str] | None = None, mapping: Any = None, head: str = HEAD) -> Shop:
        self.table.write_text("\n".join([head, *([*ANN, *OTHERS] if rows is None else rows)]) + "\n")
        self.map.write_text(mapping if isinstance(mapping, str) else yaml.safe_dump(mapping or MAPPING))
        return self

    def review(self, *user: str, **wanted: Any) -> dict[str, Any]:
        return wrapped(Wanted((*user, str(self.table)), mapping=self.map, **wanted))[0]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path).set()


def test_the_figures_of_a_member(shop: Shop) -> None:
    found = shop.review()
    assert (found["member"], found["records"], found["days"]) == ("ann", 5, 4)  # who has the most
    assert (found["amount"], found["unit"]) == (17.5, "euros spent")
    assert [(e["item"], e["group"], e["count"]) for e in found["top_items"]] == [
        ("latte", "milk", 2),
        ("drip", "filter", 1),
        ("latte", "cold", 1),
        ("mocha", "milk", 1),
    ]
    assert found["top_group"] == {"group": "milk", "count": 3}
    assert found["group_share"] == {"rank": 2, "listeners": 2, "top_percent": 100}  # ann 11.00, ben 20.00
    assert (found["busiest_month"], found["longest_streak_days"]) == ("2025-03", 2)  # 3 to 2
    assert (found["earliest_hour"], found["latest_hour"]) == (8, 17)
    assert (found["from"], found["to"]) == ("2025-03-01", "2025-04-05")
    assert found["left_out"] == {}


def test_without_an_amount_or_a_group_they_are_unknown(shop: Shop) -> None:
    found = shop.set(mapping={name: MAPPING[name] for name in ("member", "item", "time")}).review("ann")
    assert [found[name] for name in ("amount", "unit", "top_group", "group_share")] == [None] * 4
    assert found["top_items"][0] == {"item": "latte", "group": None, "count": 3}


@pytest.mark.parametrize(("unit", "divisor"), [("ms", 1), ("s", 1_000), ("min", 60_000)])
def test_times_in_numbers(shop: Shop, unit: str, divisor: int) -> None:
    start = 1_740_816_000_000  # 2025-03-01T08:00Z
    rows = [f"ann,{(start + day * 86_400_000) // divisor},latte,milk,3" for day in range(5)]
    found = shop.set(rows, {**MAPPING, "time": {"column": "at", "unit": unit}}).review()
    assert (found["from"], found["earliest_hour"], found["longest_streak_days"]) == ("2025-03-01", 8, 5)


def test_the_clock_of_the_place(shop: Shop) -> None:
    found = shop.set(mapping={**MAPPING, "utc_offset_min": 480}).review("ann")
    assert (found["earliest_hour"], found["latest_hour"]) == (1, 17)  # 17:00 + 8 h is the next day's 01:00; 09:30 is 17:30


def test_rows_that_cannot_be_used_are_counted(shop: Shop) -> None:
    odd = [",2025-03-01,latte,milk,1", "ann,2025-03-01,,milk,1", "ann,never,latte,milk,1", "ann,2025-03-01,latte,milk,-1"]
    odd += ["ann,2025-03-01,latte,milk,nan", "ann,1812-03-01,latte,milk,1"]
    found = shop.set([*ANN, *odd]).review()
    assert found["records"] == 5
    assert found["left_out"] == {"no member": 1, "no item": 1, "no time": 2, "no amount of 0 or more": 2}


def test_it_is_told_in_the_shops_own_words(shop: Shop, say: Say) -> None:
    said = say("wrapped", "ann", "--mapping", shop.map, shop.table, "--card", "card.svg")
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[0] == "ann: a year in coffee, March 2025 to April 2025"
    assert lines[1:3] == ["Top drinks:", "  1. latte, milk  (2 times)"]
    assert lines[-2:] == ["Counted from shop.csv alone: 5 purchases on 4 days.", "The card: card.svg"]
    assert "euros spent" in Path("card.svg").read_text()


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({**MAPPING, "item": "cake"}, "no column 'cake' for item"),
        ({**MAPPING, "extra": 1}, "wrong at 'extra'"),
        ({"member": "card"}, "wrong at 'item'"),
        ({**MAPPING, "time": {"column": "at", "unit": "weeks"}}, "wrong at 'time.unit'"),
        ({**MAPPING, "time": {"column": "price", "unit": "s"}}, "none lies between 1990 and 2100"),
        ({**MAPPING, "utc_offset_min": 9_999}, "wrong at 'utc_offset_min'"),
        ("a: [", "cannot be read"),
        ("", "wrong at 'the file'"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_line(shop: Shop, say: Say, mapping: Any, told: str) -> None:
    if mapping == "":
        shop.set().map.write_text("")
    else:
        shop.set(mapping=mapping)
    assert told in say("wrapped", "--mapping", shop.map, shop.table).refusal


def test_a_wrong_table_is_refused_in_one_line(shop: Shop, say: Say) -> None:
    ask = ("wrapped", "--mapping", shop.map)
    assert "no table to review" in say(*ask).refusal
    assert "none.csv: with --mapping the table comes last" in say(*ask, shop.table.with_name("none.csv")).refusal
    assert "There are 3 names" in say(*ask, "ann", shop.table, "more").refusal
    assert "nobody called 'zoe'" in say(*ask, "zoe", shop.table).refusal
    assert "a review begins at 5" in say(*ask, "ben", shop.table).refusal
    shop.set([])
    assert "no usable row in shop.csv" in say(*ask, shop.table).refusal
    shop.set(["ann;2025-03-01;latte;milk;1"], head="card;at;drink;kind;price")
    assert "There is no column 'card' for member" in say(*ask, shop.table).refusal
    shop.table.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in say(*ask, shop.table).refusal
    shop.table.unlink()
    shop.table.mkdir()
    assert "cannot be read" in say(*ask, shop.table).refusal


def test_a_missing_mapping_is_refused(shop: Shop) -> None:
    shop.map.unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        shop.review()


@pytest.mark.parametrize("name", ["coffee", "library"])
def test_the_examples_are_reviewed_whole(name: str, say: Say) -> None:
    table = EXAMPLES / f"{name}.csv"
    found = say("wrapped", "--mapping", EXAMPLES / f"{name}.yml", table, "--json").document
    with table.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert (len(rows), found["left_out"], found["card"]) == (240, {}, None)
    own = [row for row in rows if row[0] == found["member"]]
    assert (found["records"], len(found["top_items"])) == (len(own), 5)
    assert found["amount"] == pytest.approx(sum(float(row[4]) for row in own))


def test_the_examples_are_what_their_script_makes(tmp_path: Path) -> None:
    copy = tmp_path / "make.py"
    copy.write_text((EXAMPLES / "make.py").read_text())
    runpy.run_path(str(copy), run_name="__main__")
    for name in ("coffee.csv", "library.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()
