"""A night: repeatable, whole or not at all, and made of what it says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

import batch.night
from batch.asked import night_asked
from batch.engagement import Engagement, engagement
from batch.listens import Job
from batch.neighbours import neighbours
from batch.night import run_night
from batch.weekly import due
from contract.errors import CannotJudge, InfrastructureError
from contract.home import Home
from contract.lake import Lake
from contract.recommendation import read_shelves
from contract.records import Activation, Watermark, encode
from contract.versions import Version, Versions
from contract.windows import DAY_MS, iso_date
from lab.evaluation.heard import heard_before
from lab.pipeline import Pipeline
from lab.source import WorldSource
from lab.world import World
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore

pytestmark = pytest.mark.spark
PARTITIONS = 2


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=3, users=60, history_days=28)


@pytest.fixture(scope="module")
def home(world: World, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose lake has passed the first midnight, in a folder of its own."""
    home = Home(tmp_path_factory.mktemp("night"))
    Versions(home.versions).publish_initial(world.catalogue)
    pipeline = pipeline_of(home)
    pipeline.archive_history(WorldSource(world, 1).history(), world.midnight(0))
    pipeline.open()
    pipeline.control(Watermark(world.midnight(0)))
    pipeline.consume()
    pipeline.archive()
    return home


def pipeline_of(home: Home) -> Pipeline:
    store = MemoryStore()
    return Pipeline(home, MemoryLog(PARTITIONS), store, Member(home, store, PARTITIONS, 100), PARTITIONS)


@pytest.fixture(scope="module")
def night(home: Home, world: World, spark: SparkSession) -> Version:
    return run_night(Job(spark, Lake(home.lake)), home, world.midnight(0))


def content(version: Version) -> dict[str, object]:
    tables = {path.name: pq.read_table(path).to_pylist() for path in sorted(version.folder.rglob("*.parquet"))}
    return {**tables, "manifest": version.manifest, "ranker": version.ranker}


def test_the_same_night_again_is_the_same_version(night: Version, home: Home, world: World, spark: SparkSession) -> None:
    first = content(night)
    again = run_night(Job(spark, Lake(home.lake)), home, world.midnight(0))
    assert content(again) == first
    assert len(first) == 8


def test_what_a_night_publishes(night: Version, world: World) -> None:
    assert night.name == iso_date(world.midnight(0))
    assert night.manifest.computed_with == "initial"
    rows = pq.read_table(night.rows)
    assert night.manifest.listeners == len(rows) > 40
    assert set(rows.column("version").to_pylist()) == {"initial"}
    assert set(night.item_vectors.items) <= set(night.catalogue.items)
    assert night.ranker is not None
    assert night.ranker.digest == night.manifest.ranker_digest


def test_the_ranker_beats_popularity_on_the_midnight_it_has_not_seen(night: Version) -> None:
    assert night.ranker is not None
    assert night.ranker.metrics["auc"] > night.ranker.metrics["auc_popularity"]


@pytest.fixture(scope="module")
def heard(night: Version, home: Home, world: World, spark: SparkSession) -> Engagement:
    with night_asked(Job(spark, Lake(home.lake)), world.midnight(0), night.manifest.cuts, people=True) as asked:
        return engagement(asked)


def test_profiles_are_the_neighbours_of_the_engagement(night: Version, heard: Engagement) -> None:
    near, cosine = neighbours(heard.matrix)
    profiles = {row["user_id"]: row for row in pq.read_table(night.folder / "profiles.parquet").to_pylist()}
    assert list(profiles) == list(heard.users)
    for i, user in enumerate(heard.users):
        assert profiles[user]["neighbours"] == [heard.users[j] for j in near[i] if j >= 0]
        assert profiles[user]["similarities"] == pytest.approx([c for c in cosine[i] if c > 0])


def test_shelves_are_for_everybody_and_hold_what_they_promise(night: Version, heard: Engagement) -> None:
    for i, user in enumerate(heard.users):
        own = dict(zip(heard.items, heard.matrix[[i]].toarray()[0].tolist(), strict=True))
        found = read_shelves(night.folder, user)
        shown = {name: [one.item for one in items] for name, items in found.items()}
        assert len(shown["for-you"]) == 20
        assert all(own.get(item, 0.0) <= 0.1 for item in shown["for-you"])
        assert all(own.get(item, 0.0) == 0 for item in shown.get("discover-weekly", []))
        assert all(one.reasons and one.item in night.catalogue.items for items in found.values() for one in items)
        if max(own.values()) > 0.1:
            assert len(shown) >= 11, "for you, discover weekly, nine contexts; mixes as there are genres"


def test_the_laboratory_collects_the_same_engagement_without_spark(world: World, heard: Engagement) -> None:
    found = heard_before(world, 0)
    assert (found.users, found.items) == (heard.users, heard.items)
    assert (found.matrix != heard.matrix).nnz == 0
    assert found.country == heard.country


def test_a_night_that_dies_publishes_nothing(
    night: Version, home: Home, world: World, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(night)

    def dies(*_: object) -> pa.Table:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch.night, "write_people", dies)
    with pytest.raises(KeyboardInterrupt):
        run_night(Job(spark, Lake(home.lake)), home, world.midnight(0))
    assert content(Versions(home.versions).get(night.name)) == before
    assert Versions(home.versions).names() == ["initial", night.name]


def test_a_night_that_the_lake_has_not_reached_cannot_be_run(home: Home, world: World, spark: SparkSession) -> None:
    with pytest.raises(CannotJudge, match="has not reached"):
        run_night(Job(spark, Lake(home.lake)), home, world.midnight(5))


def test_partitions_that_use_different_versions_stop_the_night(tmp_path: Path, world: World, spark: SparkSession) -> None:
    home = Home(tmp_path)
    Versions(home.versions).publish_initial(world.catalogue)
    pipeline = pipeline_of(home)
    pipeline.open()
    pipeline.send([(0, None, encode(Activation("initial"))), (1, None, encode(Activation("other")))])
    pipeline.control(Watermark(world.midnight(0)))
    pipeline.archive()
    with pytest.raises(InfrastructureError, match="different versions: initial, other"):
        run_night(Job(spark, Lake(home.lake)), home, world.midnight(0))


def test_vectors_and_ranker_are_kept_for_a_week(night: Version, world: World) -> None:
    assert night.manifest.vectors_as_of_ms == world.midnight(0)
    assert due(night, world.midnight(0) + 6 * DAY_MS) is False
    assert due(night, world.midnight(0) + 7 * DAY_MS) is True
