"""Genres and the listener's vector, from the engagement of (listener, item) pairs."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from batch.items import facts, vectors
from batch.listens import REQUEST
from contract.versions import Version


def taste(spark: SparkSession, listens: DataFrame, version: Version) -> DataFrame:
    """Return genre affinities, the top genre and the listener's vector, for each request."""
    pairs = listens.groupBy(*REQUEST, "item_id").agg(F.max("tenths").alias("tenths"))
    everybody = pairs.select(*REQUEST).distinct()
    tables = [everybody, _genres(spark, pairs, version), _vectors(spark, pairs, version)]
    return reduce(lambda left, right: left.join(right, list(REQUEST), "left"), tables)


def _genres(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    with_genre = pairs.join(F.broadcast(facts(spark, version)), "item_id").where(F.col("genre").isNotNull())
    mean = F.sum("tenths").cast("double") / (F.lit(10) * F.count("*"))
    means = with_genre.groupBy(*REQUEST, "genre").agg(mean.alias("mean"))
    by_genre = F.map_from_entries(F.collect_list(F.struct("genre", "mean")))
    best = F.min(F.struct(-F.col("mean"), F.col("genre"), F.col("mean")))  # the highest mean, then the lowest name
    found = means.groupBy(*REQUEST).agg(best.alias("best"), by_genre.alias("means"))
    affinity = [F.coalesce(F.try_element_at("means", F.lit(genre)), F.lit(0.0)) for genre in version.catalogue.genres]
    return found.select(
        *REQUEST,
        F.col("best.genre").alias("top_genre"),
        F.col("best.mean").alias("top_genre_affinity"),
        F.array(*affinity).alias("genre_affinity"),
    )


def _vectors(spark: SparkSession, pairs: DataFrame, version: Version) -> DataFrame:
    rank = version.item_vectors.rank
    if not rank:
        return pairs.select(*REQUEST, F.lit(None).cast("array<double>").alias("user_vector")).limit(0)
    weighted = pairs.join(F.broadcast(vectors(spark, version)), "item_id")
    sums = [F.sum(F.col("tenths") / F.lit(10.0) * F.get("vector", F.lit(i))) for i in range(rank)]
    total = weighted.groupBy(*REQUEST).agg(F.array(*sums).alias("total"))
    squares = F.aggregate("total", F.lit(0.0), lambda so_far, x: so_far + x * x)
    norm = total.withColumn("norm", F.sqrt(squares))
    unit = F.transform("total", lambda x: F.try_divide(x, F.col("norm")))
    return norm.select(*REQUEST, F.when(F.col("norm") > 0, unit).alias("user_vector"))
