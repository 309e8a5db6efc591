"""Sessions: runs of listens with gaps of at most half an hour."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from batch.listens import KEYS
from contract.features import FeatureConstants
from contract.windows import MINUTE_MS


def stretches(listens: DataFrame, keys: Sequence[str], constants: FeatureConstants) -> DataFrame:
    """First level: the sessions within each unit (``start_ms``), as if nothing had come before or after: begin and end."""
    spans = listens.select(
        *keys, "start_ms", (F.col("ts_ms") - F.col("ms_played")).alias("begin_ms"), F.col("ts_ms").alias("end_ms")
    )
    return _joined(spans, (*keys, "start_ms"), constants)


def sessions(partials: DataFrame, constants: FeatureConstants) -> DataFrame:
    """Second level: count and mean length of the sessions, for requests with one at all.

    Stretches join as listens do: whatever begins within a gap of a stretch that is part of a session is part of it as well.
    """
    lengths = _joined(partials.drop("start_ms"), KEYS, constants)
    return lengths.groupBy(*KEYS).agg(
        F.count("*").alias("sessions_7d"),
        (F.sum(F.col("end_ms") - F.col("begin_ms")) / F.lit(float(MINUTE_MS)) / F.count("*")).alias("session_minutes_7d"),
    )


def _joined(spans: DataFrame, keys: Sequence[str], constants: FeatureConstants) -> DataFrame:
    """Join spans (``begin_ms``, ``end_ms``) with gaps up to ``session_gap_ms`` within each group of keys."""
    in_order = Window.partitionBy(*keys).orderBy("begin_ms", "end_ms")
    latest = F.max("end_ms").over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    begins = F.coalesce(F.col("begin_ms") > latest + F.lit(constants.session_gap_ms), F.lit(True))
    numbered = spans.withColumn("_begins", begins.cast("int")).withColumn("_run", F.sum("_begins").over(in_order))
    runs = numbered.groupBy(*keys, "_run").agg(F.min("begin_ms").alias("begin_ms"), F.max("end_ms").alias("end_ms"))
    return runs.drop("_run")
