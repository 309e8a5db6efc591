"""Measurements: the same rows at every size, held against DuckDB value for value, and honest about goals."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from batch.listens import Job
from contract.errors import CannotJudge
from contract.lake import Lake
from lab.bench.features import Bench, Size
from lab.bench.lake import bench_lake, bench_world
from lab.bench.report import Row, document, failed, judged, lines
from lab.bench.sql import Baseline

TINY = Size(6_000, (3_000, 6_000), 100, 200, rounds=1, claim=False)
NAMES = ["full_vs_duckdb", "incremental_vs_full", "driver_memory_gb", "growth_exponent", "neighbours_s", "neighbours_recall"]


def bench_in(folder: Path, spark: SparkSession) -> Bench:
    return Bench(TINY, folder, Job(spark, Lake(folder)), Baseline(2), lambda _: None)


@pytest.mark.spark
def test_features_are_measured_and_equal_to_those_of_duckdb(tmp_path: Path, spark: SparkSession) -> None:
    rows = bench_in(tmp_path, spark).rows()
    assert [row.name for row in rows[:6]] == NAMES
    assert all(row.met is None for row in rows)
    assert rows[0].value > 0
    assert 0.1 < rows[2].value < 16


@pytest.mark.spark
def test_a_value_that_differs_stops_the_measurement(tmp_path: Path, spark: SparkSession) -> None:
    bench = bench_in(tmp_path, spark)
    lake, version = bench._lake(3_000)
    rows = bench._full(lake, version, lake.nights()[-2])
    place = rows.schema.get_field_index("plays_7d")
    wrong = rows.set_column(
        place, rows.schema.field(place), pa.array([n + 1 for n in rows.column(place).to_pylist()], pa.int64())
    )
    with pytest.raises(CannotJudge, match="plays_7d"):
        bench._require_equal(rows, wrong)


def test_a_lake_has_as_many_events_as_it_says(tmp_path: Path) -> None:
    lake = bench_lake(tmp_path, 2_800, bench_world(30))
    assert sum(file.rows for p in lake.partitions() for commit in lake.commits(p) for file in commit.files) == 2_900
    assert len(lake.nights()) == 29


def test_a_goal_is_held_against_where_a_claim_is_made() -> None:
    slow = Row("a", 3.0, "s", "lower", None, 2.0)
    good = Row("b", 0.99, "", "higher", None, 0.95)
    assert judged(slow, claim=False).met is None
    assert [judged(row, claim=True).met for row in (slow, good)] == [False, True]
    assert judged(Row("c", 1.0, "s"), claim=True).met is None
    assert failed([judged(slow, claim=True)])
    assert not failed([judged(slow, claim=False), judged(good, claim=True)])
    assert "| `a` | 3 s | at most 2 | **no** |  |" in lines([judged(slow, claim=True)])
    assert set(document("x", [slow], {})["rows"][0]) == {"name", "value", "unit", "better", "baseline", "goal", "met"}
