"""Equality of rows, value for value (rule 13), the alarm's tolerance, and the full outer join that both stand on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.features import BY_NAME, FEATURES, ROW_SCHEMA
from monitoring.compare import Pair, align, equal, mismatches, tolerable

FLOAT, INT, TEXT = "recency_hours", "plays_7d", "top_genre"
VECTOR, FLOATS, COUNTS = "user_vector", "show_completion_28d", "show_listens_28d"
NAN, INF = math.nan, math.inf
KEYS = ("user_id", "as_of_ms", "cut")


def table(*rows: dict[str, Any]) -> pa.Table:
    plain = {"user_id": "ann", "as_of_ms": 0, "partition": 0, "cut": 0, "version": "initial"}
    return pa.Table.from_pylist([{**plain, **row} for row in rows], schema=ROW_SCHEMA)


def pair(name: str, left: Sequence[Any], right: Sequence[Any]) -> Pair:
    nobody = table()
    return Pair(table(*({name: value} for value in left)), table(*({name: value} for value in right)), nobody, nobody)


def same(name: str, left: Any, right: Any) -> bool:
    return bool(equal(pair(name, [left], [right]), name)[0])


def borne(name: str, left: Any, right: Any) -> bool:
    return bool(tolerable(pair(name, [left], [right]), name)[0])


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        (1.0, 1.0 + 0.9e-9, True),
        (1.0, 1.0 + 1.5e-9, False),
        (1e6, 1e6 + 0.9e-3, True),
        (1e6, 1e6 + 1.5e-3, False),
        (0.0, 0.9e-12, True),
        (0.0, 1.5e-12, False),
        (0.0, -0.0, True),
        (1.0, -1.0, False),
    ],
)
def test_floats_agree_within_relative_1e_9_or_absolute_1e_12(left: float, right: float, agree: bool) -> None:
    assert same(FLOAT, left, right) is agree
    assert same(FLOAT, right, left) is agree


@pytest.mark.parametrize(
    ("left", "right", "agree"), [(INF, INF, True), (-INF, -INF, True), (INF, -INF, False), (INF, 1e308, False)]
)
def test_an_infinity_agrees_with_itself_alone(left: float, right: float, agree: bool) -> None:
    assert same(FLOAT, left, right) is agree
    assert same(FLOAT, right, left) is agree


@pytest.mark.parametrize("other", [0.0, INF, None, NAN])
def test_nan_is_neither_a_number_nor_a_null_and_agrees_with_nothing(other: float | None) -> None:
    assert not same(FLOAT, NAN, other)
    assert not same(FLOAT, other, NAN)


@pytest.mark.parametrize(
    ("name", "value"), [(FLOAT, 0.0), (INT, 0), (TEXT, ""), (VECTOR, []), (VECTOR, [0.0]), (FLOATS, []), (COUNTS, [("a", 0)])]
)
def test_null_agrees_with_null_and_with_no_value(name: str, value: Any) -> None:
    assert same(name, None, None)
    assert same(name, value, value)
    assert not same(name, None, value)
    assert not same(name, value, None)


def test_integers_are_exact_where_floats_cannot_tell_them_apart() -> None:
    assert float(2**53) == float(2**53 + 1)
    assert not same(INT, 2**53, 2**53 + 1)
    assert same(INT, 2**53 + 1, 2**53 + 1)


def test_texts_agree_letter_by_letter() -> None:
    assert same(TEXT, "rock", "rock")
    assert not same(TEXT, "rock", "Rock")


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        ([0.6, 0.8], [0.6 + 0.9e-9, 0.8 - 0.9e-9], True),
        ([0.6, 0.8], [0.6, 0.8 + 1.5e-9], False),
        ([1e6], [1e6 + 1e-6], False),
        ([0.6, 0.8], [0.8, 0.6], False),
        ([0.6], [0.6, 0.0], False),
        ([], [], True),
    ],
)
def test_vectors_agree_per_component_within_absolute_1e_9(left: list[float], right: list[float], agree: bool) -> None:
    assert same(VECTOR, left, right) is agree


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        ([], [], True),
        ([("a", 0.5)], [], False),
        ([("a", 0.5)], [("b", 0.5)], False),
        ([("a", 0.5)], [("a", 0.5 + 0.9e-9)], True),
        ([("a", 0.5)], [("a", 0.5 + 1.5e-9)], False),
        ([("a", 0.1), ("b", 0.2)], [("b", 0.2), ("a", 0.1)], True),
        ([("a", 0.1), ("b", 0.2)], [("a", 0.2), ("b", 0.1)], False),
    ],
)
def test_maps_agree_per_key_in_whatever_order(left: list[Any], right: list[Any], agree: bool) -> None:
    assert same(FLOATS, left, right) is agree


@pytest.mark.parametrize(("name", "value", "other"), [(FLOAT, 1.0, 2.0), (INT, 1, 2), (VECTOR, [1.0], [2.0])])
def test_each_row_is_judged_by_itself(name: str, value: Any, other: Any) -> None:
    rows = pair(name, [value, None, value, None, value], [value, value, other, None, None])
    assert equal(rows, name).tolist() == [True, False, False, True, False]


def test_only_features_with_a_mismatch_are_counted() -> None:
    left, right = table({INT: 1, TEXT: "rock"}, {INT: 2}), table({INT: 1, TEXT: "jazz"}, {INT: 3})
    assert mismatches(Pair(left, right, table(), table())) == {INT: 1, TEXT: 1}


def test_align_pairs_requests_and_keeps_those_of_one_side_apart() -> None:
    left = table({"user_id": "ann", INT: 1}, {"user_id": "bob", INT: 2}, {"user_id": "cy", INT: 3})
    right = table({"user_id": "cy", INT: 30}, {"user_id": "dee", INT: 40}, {"user_id": "ann", INT: 10})
    joined = align(left, right, KEYS)
    assert len(joined) == 2
    assert joined.left.column(INT).to_pylist() == [1, 3]
    assert joined.right.column(INT).to_pylist() == [10, 30]
    assert joined.missing.column("user_id").to_pylist() == ["bob"]
    assert joined.extra.column("user_id").to_pylist() == ["dee"]


@pytest.mark.parametrize("key", ["as_of_ms", "cut"])
def test_the_same_listener_at_another_instant_or_cut_is_another_request(key: str) -> None:
    joined = align(table({key: 1}), table({key: 2}), KEYS)
    assert (len(joined), len(joined.missing), len(joined.extra)) == (0, 1, 1)


def test_align_joins_with_an_empty_side() -> None:
    some, none = table({}), table()
    assert len(align(some, none, KEYS).missing) == 1
    assert len(align(none, some, KEYS).extra) == 1
    assert len(align(none, none, KEYS)) == 0


@pytest.mark.parametrize("name", [f.name for f in FEATURES if f.dtype == "float64"])
def test_float32_rounding_is_a_mismatch_but_no_alarm(name: str) -> None:
    shapes: dict[str, Any] = {"vector": lambda x: [x, -x], "map": lambda x: [("a", x)], "number": lambda x: x}
    shape = shapes[BY_NAME[name].kind]
    value, rounded = shape(0.1), shape(float(np.float32(0.1)))
    assert not same(name, value, rounded)
    assert borne(name, value, rounded)


def test_beyond_one_millionth_is_an_alarm() -> None:
    assert borne(FLOAT, 100.0, 100.000_05)
    assert not borne(FLOAT, 100.0, 100.001)
    assert not borne(VECTOR, [0.6, 0.8], [0.6, 0.800_01])
    assert not borne(FLOATS, [("a", 0.5)], [("a", 0.500_01)])


def test_no_tolerance_bears_a_wrong_integer_text_or_null() -> None:
    assert not borne(INT, 1_000_000_000, 1_000_000_001)
    assert not borne(TEXT, "rock", "jazz")
    assert not borne(FLOAT, 0.0, None)


def test_the_alarm_goes_by_the_registrys_tolerance_of_each_feature(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not borne(FLOAT, 100.0, 105.0)
    monkeypatch.setitem(BY_NAME, FLOAT, dataclasses.replace(BY_NAME[FLOAT], tolerance=0.1))
    assert borne(FLOAT, 100.0, 105.0)
    assert not borne(FLOAT, 100.0, 115.0)
    assert not same(FLOAT, 100.0, 105.0)


def test_a_wide_tolerance_is_the_same_from_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BY_NAME, FLOAT, dataclasses.replace(BY_NAME[FLOAT], tolerance=0.1))
    assert borne(FLOAT, 100.0, 110.5) == borne(FLOAT, 110.5, 100.0)


_floats = st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 1e-12, INF, -INF])
_nearby = st.sampled_from([0.0, 1e-13, 1e-12, 5e-10, 1e-9, 2e-9, 1.0])
_near = st.tuples(_floats, _nearby).map(lambda drawn: (drawn[0], drawn[0] * (1 + drawn[1]) + drawn[1]))
_values = {
    FLOAT: st.tuples(_floats, _floats) | _near | st.tuples(st.none(), st.none() | _floats),
    INT: st.tuples(*[st.none() | st.integers(-(2**63), 2**63 - 1)] * 2),
    VECTOR: st.lists(_near, max_size=3).map(lambda near: ([a for a, _ in near], [b for _, b in near])),
    FLOATS: st.tuples(*[st.dictionaries(st.sampled_from("abc"), st.sampled_from([0.0, 5e-10, 1e-9, 0.5]))] * 2).map(
        lambda maps: tuple(list(one.items()) for one in maps)
    ),
}


@pytest.mark.parametrize("name", list(_values))
@settings(deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_equality_is_symmetric_and_reflexive(name: str, data: st.DataObject) -> None:
    left, right = data.draw(_values[name])
    assert same(name, left, left)
    assert same(name, left, right) == same(name, right, left)


def test_relative_and_absolute_are_alternatives_and_not_added() -> None:
    assert not same(FLOAT, 1e-3, 1e-3 + 1.5e-12)


def test_whole_numbers_in_maps_are_compared_as_such() -> None:
    assert not same(COUNTS, [("a", 2**53)], [("a", 2**53 + 1)])


def test_a_key_that_stands_twice_is_two_entries() -> None:
    assert not same(COUNTS, [("a", 1), ("a", 2)], [("a", 2)])


def test_rows_of_all_lengths_side_by_side() -> None:
    left = [[], [1.0], None, [1.0, 2.0], [0.5]]
    right = [[], [1.0], None, [1.0, 2.5], []]
    assert equal(pair(VECTOR, left, right), VECTOR).tolist() == [True, True, True, False, False]
