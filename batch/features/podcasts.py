"""Podcasts. An episode is one episode, whether it was heard in one go or resumed five times."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from batch.items import facts
from batch.listens import KEYS
from contract.versions import Version


def podcasts(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    """Return completion over all episodes and by show, and listens by show, for requests with a podcast listen."""
    timed = F.col("podcast_duration_ms").isNotNull()
    share = F.least(F.lit(1.0), F.col("podcast_ms") / F.col("podcast_duration_ms"))
    episodes = pairs.where(F.col("podcast_listens") > 0).withColumn("completion", F.when(timed, share))
    with_show = episodes.join(F.broadcast(facts(spark, version)), "item", "left")
    shows = with_show.groupBy(*KEYS, "show").agg(
        F.avg("completion").alias("completion"),
        F.sum("completion").alias("completed"),
        F.count("completion").alias("timed"),
        F.sum("podcast_listens").alias("listens"),
    )
    known = F.col("show").isNotNull()
    return shows.groupBy(*KEYS).agg(
        F.try_divide(F.sum("completed"), F.sum("timed")).alias("podcast_completion_28d"),
        _by_show(known & F.col("completion").isNotNull(), F.col("completion")).alias("show_completion_28d"),
        _by_show(known, F.col("listens")).alias("show_listens_28d"),
    )


def _by_show(which: Column, value: Column) -> Column:
    """Return a map from show to value, in the order of the shows' names."""
    return F.map_from_entries(F.array_sort(F.collect_list(F.when(which, F.struct(F.col("show"), value)))))
