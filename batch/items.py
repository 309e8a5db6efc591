"""What a version says of items, as Spark frames."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from contract.versions import Version


def facts(spark: SparkSession, version: Version) -> DataFrame:
    """Return ``item_id``, ``genre`` (an item's own beats its show's) and ``show`` of every item of the catalogue."""
    rows = [(item.item_id, item.effective_genre, item.show) for item in version.catalogue.items.values()]
    return spark.createDataFrame(rows, "item_id string, genre string, show string")


def vectors(spark: SparkSession, version: Version) -> DataFrame:
    """Return ``item_id`` and ``vector`` of the items that have one."""
    found = version.item_vectors
    frame = pd.DataFrame({"item_id": list(found.items), "vector": list(found.matrix)})
    return spark.createDataFrame(frame, "item_id string, vector array<double>")
