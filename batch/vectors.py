"""Item vectors by alternating least squares on implicit engagement (Hu, Koren, Volinsky 2008), Spark's own implementation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

from batch.engagement import Engagement
from contract.versions import ItemVectors

RANK = 32
ITERATIONS = 8
BLOCKS = 2  # the default of 10 takes twice as long on two cores


def item_vectors(spark: SparkSession, heard: Engagement, seed: int) -> ItemVectors:
    """Train vectors of length ``RANK``; the same pairs and seed give the same bits. No vectors where there are no pairs."""
    if not heard.matrix.nnz:
        return ItemVectors.none()
    pairs = heard.matrix.tocoo()
    frame = pd.DataFrame({"user": pairs.row, "item": pairs.col, "rating": pairs.data.astype(np.float32)})
    als = ALS(
        rank=RANK,
        maxIter=ITERATIONS,
        numUserBlocks=BLOCKS,
        numItemBlocks=BLOCKS,
        implicitPrefs=True,
        userCol="user",
        itemCol="item",
        ratingCol="rating",
        seed=seed,
    )
    model = als.fit(spark.createDataFrame(frame, "user int, item int, rating float").coalesce(1))
    factors = model.itemFactors.orderBy("id").toArrow().to_pandas()
    matrix = np.array(factors["features"].tolist(), np.float64).reshape(len(factors), -1)
    return ItemVectors(tuple(heard.items[i] for i in factors["id"]), matrix)
