"""The monitors that people use today, on toy nights: which stay silent on a clean pair, which see what was changed, and how."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from contract.errors import InfrastructureError
from contract.features import FEATURES, ROW_SCHEMA, Feature
from lab.bench.detect_frames import PEERS, QUIET, Case, Found, ask_peers, flat, write_case, write_reference
from lab.bench.detect_plain import exact_mismatch, null_and_range
from lab.bench.own_env import own_python
from lab.machine.kafka import cache_folder

LISTENERS = 300
NIGHTS = [f"2026-01-{day:02d}" for day in range(5, 13)]
TONIGHT = "2026-01-13"
GENRES, SHOWS, COMPONENTS = ("folk", "jazz", "rock"), ("a", "b", "c"), 3
COLUMNS = 18 + 1 + 2 * COMPONENTS + 2 * 2
"""What a toy night is when it is flat: numbers, a category, two vectors, two maps."""
Change = Callable[[pa.Table], pa.Table]


@cache
def rows_of(night: int) -> pa.Table:
    """Rows of one night: every night the same listeners, each a little different from the night before."""
    lasting, passing = np.random.default_rng(7), np.random.default_rng(100 + night)
    keys = {
        "user_id": [f"user-{i:03d}" for i in range(LISTENERS)],
        "as_of_ms": [night] * LISTENERS,
        "partition": [0] * LISTENERS,
        "cut": [0] * LISTENERS,
        "version": ["toy"] * LISTENERS,
    }
    values = {feature.name: values_of(feature, lasting, passing) for feature in FEATURES}
    return pa.table({**keys, **values, "shows": [None] * LISTENERS, "scores": [None] * LISTENERS}, schema=ROW_SCHEMA)


def values_of(feature: Feature, lasting: np.random.Generator, passing: np.random.Generator) -> list[Any]:
    def some() -> list[float]:
        return (lasting.gamma(9.0, 4.0, LISTENERS) + passing.normal(0.0, 0.5, LISTENERS)).tolist()

    if feature.kind == "category":
        return lasting.choice(GENRES, LISTENERS).tolist()
    if feature.kind == "vector":
        return [list(one) for one in zip(*(some() for _ in range(COMPONENTS)), strict=True)]
    if feature.kind == "map":
        return [dict(zip(SHOWS, map(int, one), strict=True)) for one in zip(*(some() for _ in SHOWS), strict=True)]
    return [int(one) for one in some()] if feature.dtype == "int64" else some()


def tonight() -> pa.Table:
    """One of the nights before once more: no limit that was learned from them can take it for another world."""
    return rows_of(3)


def with_column(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    place = ROW_SCHEMA.get_field_index(name)
    return rows.set_column(place, ROW_SCHEMA.field(place), pa.array(values, ROW_SCHEMA.field(place).type))


def altered(name: str, change: Callable[[Any], Any], count: int = LISTENERS) -> Change:
    """Change a feature of the first listeners."""

    def changed(rows: pa.Table) -> pa.Table:
        values = rows.column(name).to_pylist()
        return with_column(rows, name, [change(value) for value in values[:count]] + values[count:])

    return changed


def swapped(rows: pa.Table) -> pa.Table:
    """Give every listener the row of the one before."""
    users = rows.column("user_id").to_pylist()
    return with_column(rows, "user_id", users[1:] + users[:1])


def most_doubled(rows: pa.Table) -> pa.Table:
    for feature in FEATURES:
        if feature.kind == "number":
            rows = altered(feature.name, lambda value: 2 * value)(rows)
    return rows


def case_of(folder: Path, name: str, change: Change = lambda rows: rows) -> Case:
    """A case of one night: the batch path's rows, and the same with a change as the live path's."""
    reference = write_reference(folder / "reference", ((night, rows_of(i)) for i, night in enumerate(NIGHTS)))
    return write_case(folder, name, reference, [(TONIGHT, tonight(), change(tonight()))])


def test_a_flat_row_has_a_column_for_each_component_and_two_for_a_map() -> None:
    rows = tonight().slice(0, 3)
    rows = with_column(rows, "user_vector", [[0.5, -0.5], None, [1.0, 0.0]])
    rows = with_column(rows, "show_listens_28d", [[("a", 2), ("b", 4)], [], None])
    frame = flat(with_column(rows, "top_genre", ["rock", None, "jazz"]))
    assert frame["user_vector_01"].tolist()[::2] == [-0.5, 0.0]
    assert frame.loc[1, ["user_vector_00", "user_vector_01"]].isna().all()
    assert frame["show_listens_28d_mean"].fillna(-1).tolist() == [3.0, -1, -1]
    assert frame["show_listens_28d_size"].fillna(-1).tolist() == [2, 0, -1]
    assert frame["top_genre"].tolist() == ["rock", None, "jazz"]
    assert frame["plays_7d"].tolist() == rows.column("plays_7d").to_pylist()
    assert not {"user_id", "version", "shows"} & set(frame)


def test_a_case_is_files_that_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = case_of(Path("cases"), "clean")
    assert len(case.reference) == len(NIGHTS)
    ((night, batch, live),) = case.nights
    assert night == TONIGHT
    assert all(path.is_absolute() for path in (*case.reference, batch, live))
    pd.testing.assert_frame_equal(pd.read_parquet(live), flat(tonight()))
    assert pd.read_parquet(batch).shape == (LISTENERS, COLUMNS)


def suite_says(folder: Path, change: Change = lambda rows: rows) -> tuple[bool, tuple[str, ...]]:
    (found,) = null_and_range([case_of(folder, "case", change)])
    assert (found.case, found.night, found.monitor) == ("case", TONIGHT, "null-and-range")
    return found.alarm, found.columns


def test_null_and_range_are_silent_on_a_clean_pair(tmp_path: Path) -> None:
    assert suite_says(tmp_path) == (False, ())


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        (altered("skip_rate_28d", lambda _: None, 4), ("skip_rate_28d",)),
        (altered("plays_7d", lambda value: value + 1_000, 4), ("plays_7d",)),
        (altered("top_genre", lambda value: value.upper(), 1), ("top_genre",)),
        (altered("user_vector", lambda _: None), tuple(f"user_vector_{i:02d}" for i in range(COMPONENTS))),
        (lambda rows: rows.slice(0, LISTENERS * 88 // 100), ()),
    ],
    ids=["nulls", "beyond the range", "unknown category", "no vector at all", "rows missing"],
)
def test_null_and_range_see(tmp_path: Path, change: Change, columns: tuple[str, ...]) -> None:
    assert suite_says(tmp_path, change) == (True, columns)


@pytest.mark.parametrize(
    "change",
    [
        altered("skip_rate_28d", lambda _: None, 2),
        altered("plays_7d", lambda value: value + 1_000, 2),
        altered("plays_7d", lambda value: value - 3 if value > 30 else value + 3),
        altered("user_vector", lambda value: [9 * one for one in value]),
        swapped,
        lambda rows: rows.slice(0, LISTENERS * 92 // 100),
    ],
    ids=[
        "few nulls",
        "few beyond",
        "wrong within the range",
        "vectors of another training",
        "listeners swapped",
        "few rows missing",
    ],
)
def test_null_and_range_do_not_see(tmp_path: Path, change: Change) -> None:
    assert suite_says(tmp_path, change) == (False, ())


def test_a_mismatch_is_seen_from_above_one_percent_of_the_rows_on() -> None:
    wrong = altered("plays_7d", lambda value: value + 1, LISTENERS // 100)
    assert not exact_mismatch("case", TONIGHT, tonight(), wrong(tonight())).alarm
    wrong = altered("plays_7d", lambda value: value + 1, LISTENERS // 100 + 1)
    found = exact_mismatch("case", TONIGHT, tonight(), wrong(tonight()))
    assert (found.monitor, found.alarm, found.columns) == ("exact-mismatch", True, ("plays_7d",))
    assert not exact_mismatch("case", TONIGHT, tonight(), wrong(tonight()), limit=0.02).alarm


def test_a_mismatch_rate_knows_no_tolerance_and_compares_listener_by_listener() -> None:
    barely = altered("decayed_plays", lambda value: value * (1 + 1e-7))
    assert exact_mismatch("case", TONIGHT, tonight(), barely(tonight())).columns == ("decayed_plays",)
    assert len(exact_mismatch("case", TONIGHT, tonight(), swapped(tonight())).columns) == len(FEATURES)


def test_rows_that_one_path_has_alone_are_told_with_the_mismatches() -> None:
    fewer = tonight().slice(0, LISTENERS - 4)
    assert exact_mismatch("case", TONIGHT, tonight(), fewer).columns == ("missing",)
    assert exact_mismatch("case", TONIGHT, fewer, tonight()).columns == ("extra",)
    assert exact_mismatch("case", TONIGHT, tonight(), tonight().slice(0, 0)).columns == ("missing",)
    assert not exact_mismatch("case", TONIGHT, tonight(), tonight()).alarm


def test_peers_that_stop_are_told_with_what_they_said_last(tmp_path: Path) -> None:
    told = r"The monitors of others stopped: ModuleNotFoundError.*peers\.log"
    with pytest.raises(InfrastructureError, match=told):
        list(ask_peers(Path(sys.executable), [case_of(tmp_path, "clean")], tmp_path / "peers.log"))


MONITORS = ("evidently", "evidently-any-column", "nannyml", "nannyml-majority", "nannyml-reconstruction")
CHANGES: dict[str, Change] = {
    "clean": lambda rows: rows,
    "one-column": altered("plays_7d", lambda value: 2 * value),
    "most-columns": most_doubled,
    "swapped": swapped,
    "no-values": altered("skip_rate_28d", lambda _: None),
    "no-rows": lambda rows: rows.slice(0, 0),
}


DRAWN = """
import runpy, sys
from contextlib import nullcontext
import pandas
peers = runpy.run_path(sys.argv[1])
frames = [pandas.read_parquet(path) for path in sys.argv[2:]]
drawn, draw = [], peers["ValueDriftCalculation"]._render
peers["ValueDriftCalculation"]._render = lambda self, *more: drawn.append(self) or draw(self, *more)
undrawn = peers["evidently"](*frames)
assert not drawn
peers["evidently"].__globals__["undrawn"] = nullcontext
assert undrawn == peers["evidently"](*frames), undrawn
assert len(drawn) == len(frames[0].columns), drawn
print(undrawn)
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of the monitors of others; skipped where their environment cannot be made."""
    try:
        return own_python("peers", "The monitors of others", cache_folder())
    except InfrastructureError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def peers(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Found]:
    """What the monitors of others say, by case and monitor."""
    folder = tmp_path_factory.mktemp("peers")
    cases = [case_of(folder, name, change) for name, change in CHANGES.items()]
    return {(found.case, found.monitor): found for found in ask_peers(python, cases, folder / "peers.log")}


@pytest.mark.peers
def test_a_report_that_is_not_drawn_says_the_same(python: Path, tmp_path: Path) -> None:
    (_, batch, live), *_ = case_of(tmp_path, "one-column", CHANGES["one-column"]).nights
    command = [str(python), "-P", "-c", DRAWN, str(PEERS), str(batch), str(live)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **QUIET})
    assert done.returncode == 0, done.stderr[-1000:]
    assert "plays_7d" in done.stdout


@pytest.mark.peers
@pytest.mark.parametrize("monitor", MONITORS)
@pytest.mark.parametrize("case", ["clean", "swapped"])
def test_drift_monitors_are_silent_where_the_distributions_are_those_of_the_batch_path(
    peers: dict[tuple[str, str], Found], case: str, monitor: str
) -> None:
    found = peers[case, monitor]
    assert (found.night, found.alarm, found.columns) == (TONIGHT, False, ())
    assert found.seconds > 0


@pytest.mark.peers
def test_a_column_that_moved_is_named_but_is_no_drift_of_the_data_set(peers: dict[tuple[str, str], Found]) -> None:
    assert not peers["one-column", "evidently"].alarm
    assert not peers["one-column", "nannyml-majority"].alarm
    for monitor in ("evidently-any-column", "nannyml"):
        assert peers["one-column", monitor].alarm
        assert peers["one-column", monitor].columns == ("plays_7d",)


@pytest.mark.peers
def test_most_columns_that_moved_are_a_drift_of_the_data_set(peers: dict[tuple[str, str], Found]) -> None:
    moved = {feature.name for feature in FEATURES if feature.kind == "number"}
    for monitor in ("evidently", "evidently-any-column", "nannyml", "nannyml-majority"):
        assert peers["most-columns", monitor].alarm
        assert set(peers["most-columns", monitor].columns) == moved
    assert peers["most-columns", "nannyml-reconstruction"].alarm


@pytest.mark.peers
def test_a_column_without_values_stops_one_and_is_passed_over_by_the_other(peers: dict[tuple[str, str], Found]) -> None:
    assert peers["no-values", "evidently"].alarm
    assert peers["no-values", "evidently"].columns == ("skip_rate_28d",)
    assert not peers["no-values", "nannyml"].alarm


@pytest.mark.peers
def test_no_rows_at_all_are_an_alarm_of_each(peers: dict[tuple[str, str], Found]) -> None:
    found = [one for (case, _), one in peers.items() if case == "no-rows"]
    assert len(found) == len(MONITORS)
    assert all(one.alarm for one in found)
