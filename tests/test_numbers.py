"""The five numbers of a feature: of all requests, of one part of them, and group by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from contract.features import ROW_SCHEMA
from monitoring.compare import Pair
from monitoring.numbers import Compared, compared, joined
from monitoring.segments import by_segment

FLOAT, TEXT = "recency_hours", "top_genre"


def pair(name: str, left: Sequence[Any], right: Sequence[Any]) -> Pair:
    keys = {"as_of_ms": 0, "partition": 0, "cut": 0, "version": "initial"}
    sides = ([{"user_id": f"user-{i}", name: value, **keys} for i, value in enumerate(values)] for values in (left, right))
    left_rows, right_rows = (pa.Table.from_pylist(rows, schema=ROW_SCHEMA) for rows in sides)
    return Pair(left_rows, right_rows, left_rows[:0], right_rows[:0])


def told(name: str, left: Sequence[Any], right: Sequence[Any]) -> dict[str, float | None]:
    return Compared.of(pair(name, left, right), name).told()


def test_the_five_numbers_by_hand() -> None:
    found = told(FLOAT, [1.0, 2.0, 3.0, 4.0, None], [1.0, 2.2, 3.0 + 3e-8, 6.0, 5.0])
    # of five: one exact, one within tolerance, two beyond it by 10 and 50 %, one null against a value
    assert found["exact"] == 0.2
    assert found["beyond"] == 0.6
    assert found["null_against_value"] == 0.2
    assert found["median_relative"] == pytest.approx(0.1)
    assert found["rank_correlation"] == pytest.approx(1.0)


def test_a_strangers_values_have_no_rank_correlation_and_a_scale_keeps_it() -> None:
    assert told(FLOAT, [1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0])["rank_correlation"] == pytest.approx(1.0)
    assert told(FLOAT, [1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0])["rank_correlation"] == pytest.approx(-1.0)


def test_equal_values_have_rank_correlation_1_and_constant_ones_none() -> None:
    assert told(FLOAT, [1.0, 2.0], [1.0, 2.0])["rank_correlation"] == 1.0
    assert told(FLOAT, [1.0, 1.0], [1.0, 1.0])["rank_correlation"] is None
    assert told(FLOAT, [1.0, 2.0], [3.0, 3.0])["rank_correlation"] is None


@pytest.mark.parametrize("strange", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_beyond_tolerance_and_in_no_other_number(strange: float) -> None:
    found = told(FLOAT, [1.0, 2.0, 3.0], [1.0, 2.5, strange])
    assert found["beyond"] == pytest.approx(2 / 3)
    assert found["median_relative"] == pytest.approx(0.25)
    assert found["null_against_value"] == 0.0


def test_of_a_category_only_shares_are_told() -> None:
    assert told(TEXT, ["rock", None], ["jazz", "pop"]) == {"exact": 0.0, "beyond": 1.0, "null_against_value": 0.5}


def test_of_no_requests_nothing_is_told() -> None:
    assert told(FLOAT, [], []) == {
        "exact": None, "beyond": None, "median_relative": 0.0, "rank_correlation": None, "null_against_value": None,
    }  # fmt: skip


def test_midnight_and_the_days_requests_are_told_apart_and_together() -> None:
    pairs = (pair(FLOAT, [1.0] * 9, [1.0] * 9), pair(FLOAT, [1.0], [2.0]))
    ((snapshot, requests),) = compared(pairs, (FLOAT,))
    assert [one.told()["beyond"] for one in (snapshot, requests, joined((snapshot, requests)))] == [0.0, 1.0, 0.1]


def test_groups_that_are_hit_have_numbers_of_their_own() -> None:
    values = [float(i) for i in range(40)]
    doubled = [2 * value if i < 20 else value for i, value in enumerate(values)]
    people = pd.DataFrame({"country": ["SE"] * 20 + ["NO"] * 20}, index=[f"user-{i}" for i in range(40)])
    users = [f"user-{i}" for i in range(40)]
    (group,) = by_segment(people, users, Compared.of(pair(FLOAT, values, doubled), FLOAT))
    assert (group.dimension, group.value, group.requests) == ("country", "SE", 20)
    assert group.numbers["beyond"] == pytest.approx(19 / 20)  # 0 doubled is 0
    assert group.numbers["median_relative"] == pytest.approx(1.0)
    assert group.numbers["rank_correlation"] == pytest.approx(1.0)


def test_listeners_whom_nobody_knows_are_in_no_group() -> None:
    people = pd.DataFrame({"country": ["SE"] * 12}, index=[f"user-{i}" for i in range(12)])
    users = [f"user-{i}" for i in range(11)] + ["stranger"]
    found = by_segment(people, users, Compared.of(pair(FLOAT, [1.0] * 12, [1.0] * 11 + [2.0]), FLOAT))
    assert found == []
