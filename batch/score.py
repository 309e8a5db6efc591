"""The batch path's scorer: the first ten shows of each row, as column expressions."""

from __future__ import annotations

from functools import reduce
from operator import add

import msgspec
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from contract.features import ROW_SCHEMA, TOP
from contract.ranker import LISTENER_COLUMNS, PAIR_COLUMNS, Ranker
from contract.versions import Version

_ROW = [field.name for field in ROW_SCHEMA]


def with_ranking(spark: SparkSession, rows: DataFrame, version: Version) -> DataFrame:
    """Add ``shows`` and ``scores``, best first and ties by name; nulls where the version has no ranker."""
    ranker = version.ranker
    if ranker is None:
        return rows.withColumn("shows", F.lit(None).cast("array<string>")).withColumn("scores", F.lit(None).cast("array<double>"))
    pairs = rows.crossJoin(F.broadcast(show_frame(spark, ranker)))
    logit = reduce(add, (_term(ranker, i, version.catalogue.genres) for i in range(len(ranker.columns))), F.lit(ranker.bias))
    score = F.lit(1.0) / (F.lit(1.0) + F.exp(-logit))
    features = [name for name in _ROW if name not in {"shows", "scores"}]
    ranked = (
        pairs.withColumn("_score", score)
        .groupBy("user_id", "as_of_ms", "cut")
        .agg(
            *(F.first(name).alias(name) for name in features if name not in {"user_id", "as_of_ms", "cut"}),
            F.slice(F.array_sort(F.collect_list(F.struct(-F.col("_score"), F.col("_show.show")))), 1, TOP).alias("_best"),
        )
        .withColumn("shows", F.col("_best.show"))
        .withColumn("scores", F.transform(F.col("_best.col1"), lambda negative: -negative))
    )
    return ranked.select(*_ROW)


def show_frame(spark: SparkSession, ranker: Ranker) -> DataFrame:
    """Return one row a show: the struct ``_show`` with its facts."""
    kind = pa.struct(
        [
            ("show", pa.string()),
            ("genre", pa.string()),
            *((name, pa.float64()) for name in ("popularity", "completion", "minutes")),
        ]
    )
    return spark.createDataFrame(pa.table({"_show": pa.array(map(msgspec.structs.asdict, ranker.shows), kind)}))


def model_input(name: str, genres: tuple[str, ...]) -> Column:
    """Return one column of the model's input for a pair of a row and a ``_show``; null where the row has no value."""
    if name in LISTENER_COLUMNS:
        return F.col(name).cast("double")
    if name not in PAIR_COLUMNS:
        return F.col(f"_show.{name}")
    if name == "genre_affinity":
        if not genres:
            return F.lit(0.0)
        place = F.array_position(F.array(*[F.lit(genre) for genre in genres]), F.col("_show.genre")).cast("int")
        return F.coalesce(F.when(place > 0, F.get("genre_affinity", place - 1)), F.lit(0.0))
    value = F.try_element_at(F.col(name), F.col("_show.show")).cast("double")
    return F.coalesce(value, F.lit(0.0)) if name == "show_listens_28d" else value


def _term(ranker: Ranker, i: int, genres: tuple[str, ...]) -> Column:
    value = F.coalesce(model_input(ranker.columns[i], genres), F.lit(ranker.fill[i]))
    return F.lit(ranker.weights[i]) * ((value - F.lit(ranker.mean[i])) / F.lit(ranker.scale[i]))
