"""Genres, items and the listener's vector, from the engagement of (listener, item) pairs."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from batch.items import places, vectors
from batch.listens import KEYS
from contract.versions import Version


def genres(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    """Return genre affinities and the top genre, for requests with a pair of a known genre."""
    names = version.catalogue.genres
    engagement = F.sum("tenths").cast("double") / (F.lit(10) * F.count("*"))
    by_genre = pairs.join(F.broadcast(places(spark, version)), "item").groupBy(*KEYS, "genre").agg(engagement.alias("mean"))
    affinity = [F.coalesce(F.max(F.when(F.col("genre") == place, F.col("mean"))), F.lit(0.0)) for place in range(len(names))]
    best = F.min(F.struct(-F.col("mean"), F.col("genre"), F.col("mean")))  # the highest mean, then the first in their order
    found = by_genre.groupBy(*KEYS).agg(best.alias("best"), F.array(*affinity).cast("array<double>").alias("genre_affinity"))
    return found.select(
        *KEYS,
        F.get(F.array(*map(F.lit, names)).cast("array<string>"), F.col("best.genre")).alias("top_genre"),
        F.col("best.mean").alias("top_genre_affinity"),
        "genre_affinity",
    )


def items(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    """Return how many items were played, and the listener's vector: null where no item with a vector was heard."""
    rank = version.item_vectors.rank
    placed = pairs.join(F.broadcast(vectors(spark, version)), "item", "left") if rank else pairs
    sums = [F.sum(F.col("tenths") / F.lit(10.0) * F.get("vector", F.lit(i))) for i in range(rank)]
    played = F.count_if(F.col("plays") > 0).alias("distinct_items_28d")
    found = placed.groupBy(*KEYS).agg(played, F.array(*sums).cast("array<double>").alias("total"))
    norm = F.sqrt(F.aggregate("total", F.lit(0.0), lambda so_far, x: so_far + x * x))  # of no numbers 0, of nulls null
    unit = F.transform("total", lambda x: F.try_divide(x, F.col("norm")))
    vector = F.when(F.col("norm") > 0, unit).alias("user_vector")
    return found.withColumn("norm", norm).select(*KEYS, "distinct_items_28d", vector)
