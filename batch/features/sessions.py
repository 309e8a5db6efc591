"""Sessions: runs of listens with gaps of at most half an hour."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from batch.listens import REQUEST, window_days
from contract.features import FeatureConstants
from contract.windows import MINUTE_MS


def sessions(listens: DataFrame, constants: FeatureConstants) -> DataFrame:
    """Return count and mean length of the sessions in each request's window, for requests with one at all."""
    recent = listens.where(F.col("ts_ms") >= window_days(F.col("as_of_ms"), constants.session_window_d))
    spans = recent.select(*REQUEST, F.col("ts_ms").alias("end"), (F.col("ts_ms") - F.col("ms_played")).alias("start"))
    in_order = Window.partitionBy(*REQUEST).orderBy("start", "end")
    latest = F.max("end").over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    begins = F.coalesce(F.col("start") > latest + F.lit(constants.session_gap_ms), F.lit(True))
    numbered = spans.withColumn("begins", begins.cast("int")).withColumn("session", F.sum("begins").over(in_order))
    lengths = numbered.groupBy(*REQUEST, "session").agg((F.max("end") - F.min("start")).alias("length"))
    return lengths.groupBy(*REQUEST).agg(
        F.count("*").alias("sessions_7d"),
        (F.sum("length") / F.lit(float(MINUTE_MS)) / F.count("*")).alias("session_minutes_7d"),
    )
