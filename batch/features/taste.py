"""Genres and the listener's vector, from the engagement of (listener, item) pairs."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from batch.items import facts, vectors
from batch.listens import KEYS
from contract.versions import Version


def genres(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    """Return genre affinities and the top genre, for requests with a pair of a known genre."""
    with_genre = pairs.join(F.broadcast(facts(spark, version)), "item").where(F.col("genre").isNotNull())
    mean = F.sum("tenths").cast("double") / (F.lit(10) * F.count("*"))
    means = with_genre.groupBy(*KEYS, "genre").agg(mean.alias("mean"))
    by_genre = F.map_from_entries(F.collect_list(F.struct("genre", "mean")))
    best = F.min(F.struct(-F.col("mean"), F.col("genre"), F.col("mean")))  # the highest mean, then the lowest name
    found = means.groupBy(*KEYS).agg(best.alias("best"), by_genre.alias("means"))
    affinity = [F.coalesce(F.try_element_at("means", F.lit(genre)), F.lit(0.0)) for genre in version.catalogue.genres]
    return found.select(
        *KEYS,
        F.col("best.genre").alias("top_genre"),
        F.col("best.mean").alias("top_genre_affinity"),
        F.array(*affinity).alias("genre_affinity"),
    )


def user_vectors(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    """Return the listener's vector, for requests with a pair whose item has one."""
    rank = version.item_vectors.rank
    if not rank:
        return pairs.select(*KEYS, F.lit(None).cast("array<double>").alias("user_vector")).limit(0)
    weighted = pairs.join(F.broadcast(vectors(spark, version)), "item")
    sums = [F.sum(F.col("tenths") / F.lit(10.0) * F.get("vector", F.lit(i))) for i in range(rank)]
    total = weighted.groupBy(*KEYS).agg(F.array(*sums).alias("total"))
    squares = F.aggregate("total", F.lit(0.0), lambda so_far, x: so_far + x * x)
    norm = total.withColumn("norm", F.sqrt(squares))
    unit = F.transform("total", lambda x: F.try_divide(x, F.col("norm")))
    return norm.select(*KEYS, F.when(F.col("norm") > 0, unit).alias("user_vector"))
