"""Rows of features and ranking: of everybody at a night, and of a spine at any instant and cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame

from batch.features import features
from batch.listens import REQUEST, Job, as_of_night, as_of_spine
from batch.score import with_ranking
from contract.features import ROW_SCHEMA
from contract.versions import Version

FEW_LISTENERS = 10_000
"""Up to so many names are sent to every reader of the lake."""


def rows_of(job: Job, listens: DataFrame, version: Version) -> pa.Table:
    """Return the row of each request that ``listens`` (of ``batch.listens``, best kept in memory) were taken for."""
    return _collected(with_ranking(job.spark, features(job, listens, version), version))


def rows_as_of(job: Job, version: Version, as_of_ms: int, cuts: dict[int, int]) -> pa.Table:
    """Return everybody's row at an instant, counting the offsets below the cuts."""
    with kept(as_of_night(job, as_of_ms, cuts)) as listens:
        return rows_of(job, listens, version)


def rows_for_spine(job: Job, version: Version, spine: pa.Table) -> pa.Table:
    """Return the row of each request of a spine, point in time: columns ``user_id``, ``as_of_ms``, ``cut`` (more are ignored)."""
    with kept(listens_for_spine(job, spine)) as listens:
        return rows_of(job, listens, version)


def listens_for_spine(job: Job, spine: pa.Table) -> DataFrame:
    """Return the listens in the window of each request of a spine."""
    requests = spine.select(list(REQUEST)).to_pandas()
    frame = job.spark.createDataFrame(requests, "user_id string, as_of_ms bigint, cut bigint")
    instants: pd.Series = requests["as_of_ms"]
    first, last = (int(instants.min()), int(instants.max())) if len(requests) else (0, 0)
    return as_of_spine(job, frame, first, last, few=requests["user_id"].nunique() <= FEW_LISTENERS)


@contextmanager
def kept(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep a frame in memory while it is used: every subject's aggregation starts from the same listens."""
    frame = frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def _collected(rows: DataFrame) -> pa.Table:
    """Bring rows into this process, as a table of ``ROW_SCHEMA`` sorted by listener, instant and cut."""
    table = rows.toArrow().select(ROW_SCHEMA.names)
    nullable = pa.schema([f.with_nullable(True) for f in ROW_SCHEMA])
    return table.cast(nullable).sort_by([(name, "ascending") for name in REQUEST])
