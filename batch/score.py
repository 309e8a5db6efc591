"""The batch path's scorer: the first ten shows of each row, as column expressions.

The shows stand beside each row as one array, and a row's scores come from that array: no row is multiplied, nothing shuffled.
The model becomes SQL text, since a model of many trees, put together call by call, would take longer than the scoring.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from contract.features import ROW_SCHEMA, TOP
from contract.preferences import Preferences
from contract.ranker import LEAF, LISTENER_COLUMNS, SHOW_COLUMNS, Linear, Ranker, Show, Tree, Trees
from contract.versions import Version


def with_ranking(spark: SparkSession, rows: DataFrame, version: Version) -> DataFrame:
    """Add ``shows`` and ``scores``, best first and ties by name; nulls where the version has no ranker.

    Who has asked not to be known gets the shows by popularity, which is the score then.
    """
    ranker = version.ranker
    if ranker is None:
        return rows.withColumn("shows", F.lit(None).cast("array<string>")).withColumn("scores", F.lit(None).cast("array<double>"))
    paired = with_shows(spark, rows, ranker.shows, version.catalogue.genres)
    pairs = _marked(spark, paired, version.preferences).withColumn("_pairs", F.transform("_shows", lambda s: _pair(ranker, s)))
    score = f"CASE WHEN _plain THEN x._popularity ELSE 1.0D / (1.0D + EXP(-({_logit(ranker)}))) END"
    best = F.slice(F.array_sort(F.expr(f"TRANSFORM(_pairs, x -> STRUCT(-({score}) AS below, x.show AS show))")), 1, TOP)
    ranked = pairs.withColumn("_best", best).withColumns(
        {"shows": F.col("_best.show"), "scores": F.transform("_best.below", lambda below: -below)}
    )
    return ranked.select(*ROW_SCHEMA.names)


def with_shows(spark: SparkSession, rows: DataFrame, shows: tuple[Show, ...], genres: tuple[str, ...]) -> DataFrame:
    """Add ``_shows``, the same in each row: an array of a struct a show, with its facts and the place of its genre, or null."""
    place = {genre: i for i, genre in enumerate(genres)}
    names = pa.array([show.show for show in shows], pa.string())
    places = pa.array([place.get(show.genre or "") for show in shows], pa.int32())
    numbers = [pa.array([getattr(show, name) for show in shows], pa.float64()) for name in SHOW_COLUMNS]
    facts = pa.StructArray.from_arrays([names, places, *numbers], ["show", "place", *SHOW_COLUMNS])
    one = pa.table({"_shows": pa.ListArray.from_arrays(pa.array([0, len(shows)], pa.int32()), facts)})
    return rows.crossJoin(F.broadcast(spark.createDataFrame(one)))


def model_input(name: str, show: Column) -> Column:
    """Return one column of the model's input for a row and a struct of ``_shows``; null where the row has no value."""
    if name in LISTENER_COLUMNS:
        return F.col(name).cast("double")
    if name in SHOW_COLUMNS:
        return show[name]
    if name == "genre_affinity":
        return F.coalesce(F.get("genre_affinity", show["place"]), F.lit(0.0))
    value = F.try_element_at(F.col(name), show["show"]).cast("double")
    return F.coalesce(value, F.lit(0.0)) if name == "show_listens_28d" else value


def _marked(spark: SparkSession, rows: DataFrame, preferences: Preferences) -> DataFrame:
    """Add ``_plain``: whether the listener's past may not be used."""
    plain = [user for user, wish in preferences.items() if not wish.personal]
    if not plain:
        return rows.withColumn("_plain", F.lit(False))
    asked = spark.createDataFrame(pa.table({"user_id": pa.array(plain, pa.string()), "_asked": [True] * len(plain)}))
    return rows.join(F.broadcast(asked), "user_id", "left").withColumn("_plain", F.col("_asked").isNotNull())


def _pair(ranker: Ranker, show: Column) -> Column:
    """Return the struct of a pair: the show's name and popularity, and the model's inputs without nulls."""
    inputs = [
        F.coalesce(model_input(name, show), F.lit(fill)).alias(name)
        for name, fill in zip(ranker.columns, ranker.fill, strict=True)
    ]
    return F.struct(show["show"].alias("show"), show["popularity"].alias("_popularity"), *inputs)


def _logit(ranker: Ranker) -> str:
    columns = [f"x.{name}" for name in ranker.columns]
    return _linear(ranker.model, columns) if isinstance(ranker.model, Linear) else _trees(ranker.model, columns)


def _linear(model: Linear, columns: Sequence[str]) -> str:
    numbers = zip(columns, model.weights, model.mean, model.scale, strict=True)
    terms = [f"{_number(w)} * (({name} - {_number(mean)}) / {_number(scale)})" for name, w, mean, scale in numbers]
    return " + ".join([_number(model.bias), *terms])


def _trees(model: Trees, columns: Sequence[str]) -> str:
    return " + ".join([_number(model.prior), *(f"{_number(model.learning_rate)} * {_node(t, 0, columns)}" for t in model.trees)])


def _node(tree: Tree, i: int, columns: Sequence[str]) -> str:
    if tree.feature[i] == LEAF:
        return _number(tree.value[i])
    left, right = _node(tree, tree.left[i], columns), _node(tree, tree.right[i], columns)
    return f"(CASE WHEN {columns[tree.feature[i]]} <= {_number(tree.threshold[i])} THEN {left} ELSE {right} END)"


def _number(value: float) -> str:
    """Write a double so that Spark reads the same one."""
    return f"({value!r}D)"
