"""Rows of features and ranking: of everybody at a night, and of a spine at any instant and cut."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import DataFrame

from batch.asked import night_asked, spine_asked
from batch.features.table import features
from batch.listens import REQUEST, Job
from batch.partials import Partials
from batch.score import with_ranking
from contract.features import ROW_SCHEMA
from contract.versions import Version


def rows_of(job: Job, partials: Partials, version: Version) -> pa.Table:
    """Return the row of each request that ``partials`` were asked for."""
    return _collected(with_ranking(job.spark, features(job, partials, version), version))


def rows_as_of(job: Job, version: Version, as_of_ms: int, cuts: dict[int, int]) -> pa.Table:
    """Return everybody's row at an instant, counting the offsets below the cuts."""
    with night_asked(job, as_of_ms, cuts) as night:
        return rows_of(job, night.partials, version)


def rows_for_spine(job: Job, version: Version, spine: pa.Table) -> pa.Table:
    """Return the row of each request of a spine, point in time: columns ``user_id``, ``as_of_ms``, ``cut`` (more are ignored)."""
    with spine_asked(job, spine) as partials:
        return rows_of(job, partials, version)


def _collected(rows: DataFrame) -> pa.Table:
    """Bring rows into this process, as a table of ``ROW_SCHEMA`` sorted by listener, instant and cut."""
    table = rows.toArrow().select(ROW_SCHEMA.names)
    nullable = pa.schema([f.with_nullable(True) for f in ROW_SCHEMA])
    return table.cast(nullable).sort_by([(name, "ascending") for name in REQUEST])
