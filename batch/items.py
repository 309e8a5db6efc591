"""What a version says of items, as Spark frames by ``item``, the hash of an item's name."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from contract.versions import Version


def facts(spark: SparkSession, version: Version) -> DataFrame:
    """Return ``item``, ``item_id``, ``genre`` (an item's own beats its show's) and ``show`` of every item of the catalogue."""
    items = version.catalogue.items.values()
    columns = {
        "item_id": [item.item_id for item in items],
        "genre": [item.effective_genre for item in items],
        "show": [item.show for item in items],
    }
    table = pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
    return spark.createDataFrame(table).withColumn("item", F.xxhash64("item_id"))


def places(spark: SparkSession, version: Version) -> DataFrame:
    """Return ``item`` and ``genre``, the place of its genre in the catalogue's order, of the items that have one."""
    place = {name: i for i, name in enumerate(version.catalogue.genres)}
    genres = {item.item_id: item.effective_genre for item in version.catalogue.items.values()}
    found = {name: place[genre] for name, genre in genres.items() if genre is not None}
    table = pa.table({"item_id": pa.array(found, pa.string()), "genre": pa.array(found.values(), pa.int32())})
    return spark.createDataFrame(table).select(F.xxhash64("item_id").alias("item"), "genre")


def vectors(spark: SparkSession, version: Version) -> DataFrame:
    """Return ``item`` and ``vector`` of the items that have one."""
    found = version.item_vectors
    table = pa.table({"item_id": list(found.items), "vector": list(found.matrix)})
    return spark.createDataFrame(table).select(F.xxhash64("item_id").alias("item"), "vector")
