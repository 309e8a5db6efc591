"""Rows of features and ranking: of everybody at a night, and of a spine at any instant and cut."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame

from batch.features import features
from batch.listens import REQUEST, Job, as_of_night, as_of_spine
from batch.score import with_ranking
from contract.features import ROW_SCHEMA
from contract.versions import Version


def rows_as_of(job: Job, version: Version, as_of_ms: int, cuts: dict[int, int]) -> DataFrame:
    """Return everybody's row at an instant, counting the offsets below the cuts."""
    computed = features(job, as_of_night(job, as_of_ms, cuts), version)
    return with_ranking(job.spark, computed, version)


def rows_for_spine(job: Job, version: Version, spine: pa.Table) -> DataFrame:
    """Return the row of each request of a spine: columns ``user_id``, ``as_of_ms``, ``cut`` (more are ignored)."""
    return with_ranking(job.spark, features_for_spine(job, version, spine), version)


def features_for_spine(job: Job, version: Version, spine: pa.Table) -> DataFrame:
    """Return the features of each request of a spine, point in time."""
    requests = spine.select(list(REQUEST)).to_pandas()
    frame = job.spark.createDataFrame(requests, "user_id string, as_of_ms bigint, cut bigint")
    instants: pd.Series = requests["as_of_ms"]
    first, last = (int(instants.min()), int(instants.max())) if len(requests) else (0, 0)
    return features(job, as_of_spine(job, frame, first, last), version)


def collect(rows: DataFrame) -> pa.Table:
    """Bring rows into this process, as a table of ``ROW_SCHEMA`` sorted by listener, instant and cut."""
    order = [(name, "ascending") for name in REQUEST]
    return conformed(rows.toArrow()).sort_by(order)


def conformed(table: pa.Table) -> pa.Table:
    """Give a table that Spark made the exact types of ``ROW_SCHEMA``."""
    return table.select(ROW_SCHEMA.names).cast(pa.schema([f.with_nullable(True) for f in ROW_SCHEMA]))
