"""The central property: on any log, at any instant and cut, both paths say the same of every listener."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from batch.listens import REQUEST, Job
from batch.rows import rows_for_spine
from contract.features import ROW_SCHEMA
from monitoring.compare import align, mismatches
from monitoring.ranking import rankings
from streaming.step import Step
from tests.logs import NIGHTS, home_of, listeners_of, one_log, written

LOGS = 16
"""So many random logs are judged at once, a partition each: a Spark job costs seconds, however little it does."""
SEEDS = int(os.environ.get("SKEWLAB_SEEDS", "2"))


@pytest.mark.spark
@pytest.mark.parametrize("seed", range(SEEDS))
def test_both_paths_agree_on_every_row_of_any_log(spark: SparkSession, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    home, versions = home_of(tmp_path)
    log = written(
        [one_log(f"{seed}/{partition}", listeners_of(partition, LOGS)) for partition in range(LOGS)],
        activated=[rng.randint(1, NIGHTS) for _ in range(LOGS)],
    )
    steps = [step for p in range(LOGS) for step in log.consume(log.path(home, p), size=rng.randint(1, 9))]
    job = Job(spark, log.archive(home, commits=3))
    for name, version in versions.items():
        live = [step for step in steps if step.rows is not None and step.rows.version == name]
        snapshots = [step for step in live if step.snapshot_ms is not None]
        served = [step for step in live if step.snapshot_ms is None]
        asked = [_everybody(snapshots), _rows(served).select(list(REQUEST))]
        batch = rows_for_spine(job, version, pa.concat_tables(asked))
        for spine, rows in zip(asked, (_rows(snapshots), _rows(served)), strict=True):
            assert _differences(align(batch, spine, REQUEST).left, rows) == ({}, [])


def _rows(steps: Sequence[Step]) -> pa.Table:
    return pa.concat_tables([ROW_SCHEMA.empty_table(), *(step.rows.to_arrow() for step in steps if step.rows is not None)])


def _everybody(snapshots: Sequence[Step]) -> pa.Table:
    """Ask for all listeners of a snapshot's partition, those without a row among them."""
    rows = [step.rows for step in snapshots if step.rows is not None]
    nights = [step.snapshot_ms for step in snapshots]
    asked = [(u, night, r.cut) for r, night in zip(rows, nights, strict=True) for u in listeners_of(r.partition, LOGS)]
    schema = pa.schema([ROW_SCHEMA.field(name) for name in REQUEST])
    return pa.Table.from_pylist([dict(zip(REQUEST, one, strict=True)) for one in asked], schema)


def _differences(batch: pa.Table, live: pa.Table) -> tuple[dict[str, int], list[object]]:
    """Return mismatches by feature; and the requests that one path alone answers, or ranks otherwise."""
    pair = align(batch, live, REQUEST)
    ranked = rankings(pair)
    otherwise = ranked[(ranked["overlap"] < 1) | (ranked["rbo"] < 1)]["user_id"]
    return mismatches(pair), [*pair.missing.to_pylist(), *pair.extra.to_pylist(), *otherwise]
