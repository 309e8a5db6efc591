"""Podcasts. An episode is one episode, whether it was heard in one go or resumed five times."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from batch.items import facts
from batch.listens import REQUEST
from contract.versions import Version


def podcasts(spark: SparkSession, listens: DataFrame, version: Version) -> DataFrame:
    """Return completion over all episodes and by show, and listens by show, for requests with a podcast listen."""
    heard = listens.where(~F.col("music")).groupBy(*REQUEST, "item_id")
    episodes = heard.agg(
        F.least(F.lit(1.0), F.sum("ms_played") / F.max("duration_ms")).alias("completion"),
        F.max("duration_ms").isNotNull().alias("timed"),
        F.count("*").alias("listens"),
    ).withColumn("completion", F.when(F.col("timed"), F.col("completion")))
    with_show = episodes.join(F.broadcast(facts(spark, version)), "item_id", "left")
    shows = with_show.groupBy(*REQUEST, "show").agg(
        F.avg("completion").alias("completion"),
        F.sum("completion").alias("completed"),
        F.count("completion").alias("timed"),
        F.sum("listens").alias("listens"),
    )
    known = F.col("show").isNotNull()
    return shows.groupBy(*REQUEST).agg(
        F.try_divide(F.sum("completed"), F.sum("timed")).alias("podcast_completion_28d"),
        _by_show(known & F.col("completion").isNotNull(), F.col("completion")).alias("show_completion_28d"),
        _by_show(known, F.col("listens")).alias("show_listens_28d"),
    )


def _by_show(which: Column, value: Column) -> Column:
    """Return a map from show to value, in the order of the shows' names."""
    return F.map_from_entries(F.array_sort(F.collect_list(F.when(which, F.struct(F.col("show"), value)))))
