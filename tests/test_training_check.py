"""Training rows against the snapshots of their midnights: equal on a clean run, and where a leak shows that parity cannot see."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import great_expectations as gx
import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.listens import Job
from batch.night import run_night
from contract.features import NAMES
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.skew import Skew
from contract.versions import PREFERENCES, TRAINING, Version, Versions
from contract.windows import DAY_MS, HOUR_MS, iso_date
from lab.pipeline import Pipeline
from lab.skews import find
from lab.source import WorldSource
from lab.world import World
from monitoring.compare import align, mismatches
from monitoring.measures import UNMATCHED
from monitoring.night import live_rows, load_night
from monitoring.suites import training
from monitoring.training import KEYS, differing, training_frame
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore

pytestmark = pytest.mark.spark
PARTITIONS, DAYS, LISTENERS = 2, 7, 60
RUN = (0, 1)
"""The nights of the week that are run."""
WORLD = World(seed=3, users=LISTENERS, history_days=28)
SECOND_TRAINING = WORLD.midnight(DAYS)
SERVED = [WORLD.midnight(day) for day in range(DAYS)]
LEAK, BACKFILL = "point-in-time-leak", "backfill-vs-live"


@pytest.fixture(scope="module")
def home(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which a clean week was lived: its first night trained, its last night, which trains again, is to come.

    Of the nights between, which train nothing, one is run; the others are published as they would carry parts on.
    """
    home, source, store = Home(tmp_path_factory.mktemp("week")), WorldSource(WORLD, DAYS), MemoryStore()
    Versions(home.versions).publish_initial(source.catalogue)
    pipeline = Pipeline(home, MemoryLog(PARTITIONS), store, Member(home, store, PARTITIONS, 100), PARTITIONS)
    pipeline.archive_history(source.history(), source.midnight(0))
    pipeline.open()
    for day in range(DAYS + 1):
        pipeline.control(Watermark(source.midnight(day)))
        pipeline.consume()
        pipeline.archive()
        if day < DAYS:
            at, job = source.midnight(day), Job(spark, Lake(home.lake))
            version = run_night(job, home, at) if day in RUN else carried_on(home, at)
            pipeline.activate(version.name)
            pipeline.send(source.messages(day, PARTITIONS))
    return home


def carried_on(home: Home, midnight_ms: int) -> Version:
    """Publish a midnight's version with the parts of the version before it."""
    versions, before = Versions(home.versions), version_of(home, midnight_ms - DAY_MS)
    cuts, name = Lake(home.lake).cut(midnight_ms), iso_date(midnight_ms)
    draft = versions.draft(name)
    for part in ("catalogue.parquet", "item_vectors.parquet", "ranker.json", PREFERENCES):
        shutil.copy(before.folder / part, draft / part)
    made = msgspec.structs.replace(before.manifest, version=name, as_of_ms=midnight_ms, cuts=cuts, computed_with=before.name)
    return versions.publish(draft, made)


@dataclass(frozen=True)
class Trained:
    """What is left of a training night: its sample, its frame, how good its ranker looked, and what parity says of the night."""

    rows: pa.Table
    frame: pd.DataFrame
    auc: float
    parity: dict[str, int]
    unmatched: int


def trained(spark: SparkSession, home: Home, *skews: Skew) -> Trained:
    job = Job(spark, Lake(home.lake), skews)
    version = run_night(job, home, SECOND_TRAINING)
    assert version.ranker is not None
    night = load_night(job, home, SECOND_TRAINING)
    assert min(len(night.snapshot), len(night.requests)) > 20
    pairs = (night.snapshot, night.requests)
    return Trained(
        version.training,
        training_frame(home, version),
        version.ranker.metrics["auc"],
        {name: count for pair in pairs for name, count in mismatches(pair).items()},
        sum(len(pair.missing) + len(pair.extra) for pair in pairs),
    )


@pytest.fixture(scope="module")
def clean(spark: SparkSession, home: Home) -> Trained:
    return trained(spark, home)


@pytest.fixture(scope="module")
def clean_home(clean: Trained, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the home as the clean training left it: the nights with a skew put theirs in its place."""
    return copied(home, tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="module")
def leaking(spark: SparkSession, home: Home, clean_home: Home) -> Trained:
    return trained(spark, home, find(LEAK)())


@pytest.fixture(scope="module")
def backfilled(spark: SparkSession, home: Home, clean_home: Home) -> Trained:
    return trained(spark, home, find(BACKFILL)())


def copied(home: Home, folder: Path) -> Home:
    return Home(shutil.copytree(home.root, folder / "copy", symlinks=True))


def version_of(home: Home, midnight_ms: int) -> Version:
    return Versions(home.versions).get(iso_date(midnight_ms))


def failed(frame: pd.DataFrame) -> set[str]:
    """The columns of which an expectation of the suite fails, by the real Great Expectations."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("training")
    batch = asset.add_batch_definition_whole_dataframe("night").get_batch({"dataframe": frame})
    found = batch.validate(training()).results
    assert len(found) == len(NAMES) + 1
    return {one.expectation_config.kwargs["column"] for one in found if not one.success}


def test_a_clean_nights_training_rows_are_what_was_served_at_their_midnights(home: Home, clean: Trained) -> None:
    served = pa.concat_tables([live_rows(home, midnight) for midnight in SERVED])
    pair = align(clean.rows, served, KEYS)
    assert (len(pair.missing), len(pair.extra)) == (0, 0)
    assert len(pair) == len(clean.rows) > DAYS * LISTENERS / 2
    before_vectors = pc.sum(pc.equal(pair.left.column("as_of_ms"), SERVED[0])).as_py()
    assert mismatches(pair) == {"user_vector": before_vectors}, "the version of the first midnight had no vectors yet"


def test_a_clean_night_shows_nothing_and_compares_all_but_vectors_of_another_training(clean: Trained) -> None:
    assert sorted(clean.frame["as_of_ms"].unique()) == SERVED
    assert len(clean.frame) == len(clean.rows)
    assert differing(clean.frame) == []
    assert not clean.frame[UNMATCHED].any()
    left_out = clean.frame[list(NAMES)].isna()
    assert left_out.any().loc[lambda some: some].index.tolist() == ["user_vector"]
    assert clean.frame.loc[left_out["user_vector"], "as_of_ms"].unique().tolist() == SERVED[:1]


def test_a_first_training_has_history_behind_it_and_nothing_to_be_compared_with(home: Home) -> None:
    first = version_of(home, SERVED[0])
    assert sorted(pc.unique(first.training.column("as_of_ms")).to_pylist()) == [WORLD.midnight(-day) for day in range(7, 0, -1)]
    assert training_frame(home, first).empty


def test_a_night_that_trains_nothing_keeps_no_rows(home: Home) -> None:
    quiet = version_of(home, SERVED[RUN[-1]])
    assert not (quiet.folder / TRAINING).exists()
    assert len(quiet.training) == 0
    assert training_frame(home, quiet).empty


@pytest.mark.parametrize("which", ["clean", "leaking", "backfilled"])
def test_serve_time_parity_is_exact_whatever_training_saw(which: str, request: pytest.FixtureRequest) -> None:
    one: Trained = request.getfixturevalue(which)
    assert (one.parity, one.unmatched) == ({}, 0)


def test_a_leak_of_a_day_moves_what_the_day_moves(leaking: Trained) -> None:
    assert {"plays_24h", "plays_7d", "show_listens_28d", "genre_affinity", "recency_hours"} <= set(differing(leaking.frame))
    assert leaking.frame["recency_hours"].mean() > 0.5
    assert sorted(pc.unique(leaking.rows.column("as_of_ms")).to_pylist()) == SERVED, "a row is kept under its own midnight"


def test_a_leak_makes_the_ranker_look_better_than_it_is(clean: Trained, leaking: Trained) -> None:
    assert leaking.auc > clean.auc + 0.02


def test_a_backfill_knows_of_listens_that_had_not_arrived(clean: Trained, backfilled: Trained) -> None:
    assert {"listen_minutes_28d", "plays_7d"} <= set(differing(backfilled.frame))
    minutes = [one.rows.column("listen_minutes_28d").to_numpy() for one in (clean, backfilled)]
    assert len(minutes[0]) == len(minutes[1])
    assert (minutes[1] >= minutes[0] - 1e-9).all(), "what had arrived is still there"
    assert minutes[1].sum() > minutes[0].sum()


def test_a_midnight_without_a_whole_snapshot_is_left_out(clean_home: Home, tmp_path: Path) -> None:
    holed = copied(clean_home, tmp_path)
    next((holed.snapshots / iso_date(SERVED[3])).iterdir()).unlink()
    frame = training_frame(holed, version_of(holed, SECOND_TRAINING))
    assert sorted(frame["as_of_ms"].unique()) == [*SERVED[:3], *SERVED[4:]]


def test_a_training_row_that_serving_never_had_is_unmatched_and_so_is_one_that_training_lost(
    clean_home: Home, tmp_path: Path
) -> None:
    other = copied(clean_home, tmp_path)
    path = version_of(other, SECOND_TRAINING).folder / TRAINING
    rows = pq.read_table(path)
    ghost = rows.slice(0, 1).set_column(0, rows.schema.field("user_id"), pa.array(["ghost"]))
    pq.write_table(pa.concat_tables([rows.slice(1), ghost]), path)
    frame = training_frame(other, version_of(other, SECOND_TRAINING))
    alone = frame[frame[UNMATCHED] > 0]
    assert alone["user_id"].tolist() == ["ghost", rows.column("user_id")[0].as_py()]
    assert differing(frame) == []


def test_vectors_of_another_training_are_not_compared(clean_home: Home, tmp_path: Path) -> None:
    other = copied(clean_home, tmp_path)
    version, active = (version_of(other, at) for at in (SECOND_TRAINING, SERVED[-1]))
    rows = pq.read_table(version.folder / TRAINING)
    turned = pa.array([v and [-x for x in v] for v in rows.column("user_vector").to_pylist()], pa.list_(pa.float64()))
    place = rows.schema.get_field_index("user_vector")
    pq.write_table(rows.set_column(place, rows.schema.field(place), turned), version.folder / TRAINING)
    assert differing(training_frame(other, version)) == ["user_vector"]
    manifest = msgspec.structs.replace(active.manifest, vectors_as_of_ms=SERVED[-1])
    (active.folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    frame = training_frame(other, version)
    assert (differing(frame), failed(frame)) == ([], set()), "a column of nothing at all would fail"


def test_the_suite_passes_a_clean_training_and_fails_by_each_skew(clean: Trained, leaking: Trained, backfilled: Trained) -> None:
    assert failed(clean.frame) == set()
    assert {"plays_24h", "show_listens_28d"} <= failed(leaking.frame)
    assert {"plays_7d", "listen_minutes_28d"} <= failed(backfilled.frame)


@pytest.mark.parametrize("name", [LEAK, BACKFILL])
def test_at_severity_0_the_very_same_rows_are_asked_for(name: str) -> None:
    spine = pa.table({"user_id": ["ada", "ben"], "as_of_ms": [0, DAY_MS], "cut": [1, 2], "cut_after": [9, 9]})
    assert find(name)(0).batch_training(spine) is spine


def test_half_a_leak_looks_half_a_day_ahead_and_half_a_backfill_hits_half_of_the_listeners() -> None:
    users = [f"user-{i}" for i in range(400)]
    spine = pa.table({"user_id": users, "as_of_ms": [DAY_MS] * 400, "cut": [1] * 400, "cut_after": [9] * 400})
    leak = find(LEAK)(0.5).batch_training(spine)
    assert pc.unique(leak.column("as_of_ms")).to_pylist() == [DAY_MS + 12 * HOUR_MS]
    backfill = find(BACKFILL)(0.5, seed=1).batch_training(spine)
    assert backfill.column("as_of_ms").equals(spine.column("as_of_ms"))
    assert 150 < pc.sum(pc.equal(backfill.column("cut"), 9)).as_py() < 250
    assert backfill.equals(find(BACKFILL)(0.5, seed=1).batch_training(spine))
