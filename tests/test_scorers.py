"""Both scorers say the same of any features, by any kind of model, and of listeners who do not want to be known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from batch.score import with_ranking
from contract.features import FEATURES, ROW_SCHEMA, TOP, Feature
from contract.preferences import Preference, write_preferences
from contract.ranker import COLUMNS, LEAF, Linear, Model, Ranker, Show, Tree, Trees
from contract.rows import Column, FeatureColumns, MapColumn, Rows
from contract.versions import PREFERENCES, Manifest, Version, Versions
from streaming.score import top_shows
from tests.logs import NEW

N, SHOWS = 60, 14
USERS = np.array([f"user-{i:02d}" for i in range(N)], object)
GENRES = NEW.genres
CATALOGUE = (
    *(Show(f"show-{i:02d}", (*GENRES, None, "?")[i % (len(GENRES) + 2)], i / 20, i / 15, i / 5) for i in range(SHOWS - 3)),
    Show("tie-b", None, 0.3, 0.5, 0.2),
    Show("tie-a", None, 0.3, 0.5, 0.2),
    Show("Ö", "news", 0.0, 0.0, 0.0),
)
WISHES = {
    "user-01": Preference(personalisation=False),
    "user-02": Preference(privacy_first=True),
    "user-03": Preference(explore=True),
}
GRID = np.arange(0, 1.01, 0.25)


def a_number(rng: np.random.Generator, feature: Feature) -> Column:
    """Values that lie on the thresholds of the trees, and nulls."""
    if feature.dtype == "int64":
        return rng.integers(0, 5, N)
    return np.where(rng.random(N) < 0.2, np.nan, rng.choice(GRID, N))


def a_map(rng: np.random.Generator, feature: Feature) -> Column:
    names = sorted([*(show.show for show in CATALOGUE), "a show that the ranker does not know"])
    heard = rng.random((N, len(names))) < 0.3
    row, name = np.nonzero(heard)
    values = rng.choice(GRID, len(row)) if feature.dtype == "float64" else rng.integers(1, 5, len(row))
    return MapColumn(np.concatenate([[0], np.cumsum(heard.sum(axis=1))]), np.array(names, object)[name], values)


def a_category(rng: np.random.Generator, feature: Feature) -> Column:
    return rng.choice(np.array(["news", None], object), N)


def a_vector(rng: np.random.Generator, feature: Feature) -> Column:
    return rng.choice(GRID, (N, len(GENRES)))


DRAWN: dict[str, Callable[[np.random.Generator, Feature], Column]] = {
    "number": a_number,
    "map": a_map,
    "category": a_category,
    "vector": a_vector,
}


def drawn(seed: int) -> FeatureColumns:
    rng = np.random.default_rng(seed)
    return {feature.name: DRAWN[feature.kind](rng, feature) for feature in FEATURES}


def linear(rng: np.random.Generator) -> Model:
    n = len(COLUMNS)
    mean, scale, weights = rng.normal(size=n), rng.uniform(0.5, 2, n), rng.normal(size=n)
    return Linear(tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights.tolist()), -0.5)


def trees(rng: np.random.Generator) -> Model:
    return Trees(-2.0, 0.1, tuple(a_tree(rng) for _ in range(30)))


def a_tree(rng: np.random.Generator) -> Tree:
    """A tree of depth 2 with thresholds among the values, and a leaf where its root is a coin's toss."""
    n = 7 if rng.random() < 0.9 else 1
    inner = np.arange(n) < n // 2
    return Tree(
        feature=tuple(np.where(inner, rng.integers(0, len(COLUMNS), n), LEAF).tolist()),
        threshold=tuple(rng.choice([*GRID, 1.5, 1e-12, 12.0], n).tolist()),
        left=tuple(np.where(inner, 2 * np.arange(n) + 1, 0).tolist()),
        right=tuple(np.where(inner, 2 * np.arange(n) + 2, 0).tolist()),
        value=tuple(rng.normal(size=n).tolist()),
    )


def published(folder: Path, model: Model, columns: tuple[str, ...] = COLUMNS) -> Version:
    versions = Versions(folder)
    draft = versions.draft("v")
    NEW.write(draft / "catalogue.parquet")
    fill = tuple(np.random.default_rng(1).random(len(columns)).tolist())
    Ranker(columns, fill, model, CATALOGUE, 0, 0, {}, {}).write(draft / "ranker.json")
    write_preferences(draft / PREFERENCES, WISHES)
    return versions.publish(draft, Manifest("v", 0, {}, "v", None, None, N))


def rows_of(columns: FeatureColumns) -> pa.Table:
    return Rows(USERS, np.zeros(N, np.int64), 5, 0, "v", columns).to_arrow()


def by_batch(spark: SparkSession, columns: FeatureColumns, version: Version) -> pa.Table:
    frame = spark.createDataFrame(rows_of(columns).drop_columns(["shows", "scores"]))
    return with_ranking(spark, frame, version).toArrow().select(ROW_SCHEMA.names).sort_by("user_id")


@pytest.mark.spark
@pytest.mark.parametrize("model", [linear, trees])
def test_both_paths_rank_alike(spark: SparkSession, tmp_path: Path, model: Callable[[np.random.Generator], Model]) -> None:
    version, columns = published(tmp_path, model(np.random.default_rng(3))), drawn(4)
    batch = by_batch(spark, columns, version)
    shows, scores = top_shows(version, USERS, columns)
    assert shows is not None
    assert batch.column("shows").to_pylist() == shows.tolist()
    np.testing.assert_allclose(np.array(batch.column("scores").to_pylist()), scores, rtol=0, atol=1e-9)
    assert len({tuple(one) for one in shows.tolist()}) > N // 2, "the model does tell listeners apart"
    assert shows.shape == (N, TOP)


@pytest.mark.spark
def test_the_features_of_a_row_stay_as_they_are(spark: SparkSession, tmp_path: Path) -> None:
    columns = drawn(6)
    batch = by_batch(spark, columns, published(tmp_path, linear(np.random.default_rng(3))))
    rows = rows_of(columns)
    assert [name for name in rows.column_names[:-2] if batch.column(name).to_pylist() != rows.column(name).to_pylist()] == []


def test_who_does_not_want_to_be_known_gets_what_is_popular(tmp_path: Path) -> None:
    version = published(tmp_path, trees(np.random.default_rng(3)))
    shows, scores = top_shows(version, USERS, drawn(4))
    assert shows is not None
    assert scores is not None
    popular = sorted(CATALOGUE, key=lambda show: (-show.popularity, show.show))[:TOP]
    for i in (1, 2):
        assert shows[i].tolist() == [show.show for show in popular]
        assert scores[i].tolist() == [show.popularity for show in popular]
    assert shows[3].tolist() != shows[1].tolist(), "to explore is not to be unknown"
    names = [show.show for show in popular]
    assert names.index("tie-a") < names.index("tie-b")


def test_a_tree_by_hand(tmp_path: Path) -> None:
    tree = Tree(
        (0, LEAF, 1, LEAF, LEAF), (2.0, 0.0, 0.25, 0.0, 0.0), (1, 0, 3, 0, 0), (2, 0, 4, 0, 0), (0.0, -1.0, 0.0, 5.0, 9.0)
    )
    version = published(tmp_path, Trees(1.0, 0.5, (tree, tree)), ("plays_7d", "popularity"))
    columns = {**drawn(1), "plays_7d": np.array([2, 3] * (N // 2))}
    shows, scores = top_shows(version, USERS, columns)
    assert shows is not None
    assert scores is not None
    logit = np.log(scores[4:6] / (1 - scores[4:6]))
    # two plays end at once: 1 + 0.5 * (-1 - 1); three ask for popularity, which above 0.25 is worth 9, else 5
    assert logit[0] == pytest.approx([0.0] * TOP)
    assert logit[1] == pytest.approx([10.0] * 7 + [6.0] * 3)
    assert shows[4].tolist() == sorted(show.show for show in CATALOGUE)[:TOP]


def test_without_a_ranker_nothing_is_ranked(tmp_path: Path) -> None:
    version = Versions(tmp_path).publish_initial(NEW)
    assert top_shows(version, USERS, drawn(1)) == (None, None)


def test_wishes_of_listeners_who_are_not_asked_for_change_nothing(tmp_path: Path) -> None:
    version, columns = published(tmp_path, linear(np.random.default_rng(3))), drawn(4)
    strangers = np.array([f"stranger-{i}" for i in range(N)], object)
    _, scores = top_shows(version, strangers, columns)
    assert not any(scores[i].tolist() == scores[0].tolist() for i in (1, 2))
    assert msgspec.structs.asdict(WISHES["user-03"])["explore"]
