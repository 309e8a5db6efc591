"""What a ranker is trained on: point in time, with what was finished the day after, and nothing of whoever wants privacy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from batch.listens import Job
from batch.ranker import show_facts
from batch.rows import rows_as_of
from batch.training import TrainingSet, training_set
from batch.weekly import choose_ranker, training_spine
from contract.event import Event
from contract.preferences import Preference
from contract.ranker import COLUMNS
from contract.records import Watermark
from contract.versions import Version
from contract.windows import DAY_MS, HOUR_MS, parse_instant
from tests.logs import OLD
from tests.toylake import ToyLog, event, home_with

pytestmark = pytest.mark.spark
AS_OF = parse_instant("2026-03-10")
DAY_BEFORE, MORNING = AS_OF - 2 * DAY_MS, AS_OF - DAY_MS + 8 * HOUR_MS
HALF_HOUR = 1_800_000


def podcast(user: str, item: str, ts_ms: int, played: int) -> Event:
    return event(user, item, ts_ms, kind="podcast", ms_played=played, duration_ms=2 * HALF_HOUR)


EVENTS = (
    podcast("ada", "talk-a-1", DAY_BEFORE, HALF_HOUR // 2),
    podcast("ada", "talk-a-1", MORNING, HALF_HOUR // 2),
    podcast("ada", "talk-a-1", MORNING + HOUR_MS, HALF_HOUR // 2),  # half of the episode on one day, in two goes
    podcast("ada", "talk-b-1", MORNING, HALF_HOUR - 1),  # not quite half
    event("ben", "song-a", DAY_BEFORE),
    podcast("ben", "talk-b-1", MORNING, 2 * HALF_HOUR),
    podcast("cleo", "talk-b-1", MORNING, 2 * HALF_HOUR),  # who had heard nothing before
)


@pytest.fixture(scope="module")
def toy(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Version, pa.Table, dict[int, int]]:
    home, version = home_with(tmp_path_factory.mktemp("training"), OLD)
    log = ToyLog()
    log.send(*sorted(EVENTS, key=lambda one: one.ts_ms))
    log.control(Watermark(AS_OF))
    job = Job(spark, log.archive(home))
    cuts = job.lake.cut(AS_OF)
    return job, version, rows_as_of(job, version, AS_OF, cuts), cuts


@pytest.fixture(scope="module")
def pairs(toy: tuple[Job, Version, pa.Table, dict[int, int]]) -> TrainingSet:
    job, version, rows, cuts = toy
    spine = training_spine(rows, job.lake, cuts, [AS_OF - 2 * DAY_MS, AS_OF - DAY_MS])
    return training_set(job, version, spine, show_facts(rows, OLD))


def test_a_pair_is_finished_by_half_an_episode_on_the_day_after(pairs: TrainingSet) -> None:
    assert pairs.midnight_ms.tolist() == [AS_OF - DAY_MS] * 2
    assert pairs.listener.tolist() == ["ada", "ben"]
    assert pairs.finished.tolist() == [[1, 0], [0, 1]]


def test_inputs_know_nothing_of_the_day_after(pairs: TrainingSet) -> None:
    listens, completion, popularity = (
        pairs.inputs[:, :, COLUMNS.index(name)] for name in ("show_listens_28d", "show_completion_28d", "popularity")
    )
    np.testing.assert_array_equal(listens, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(completion, [[0.25, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(popularity, [[1 / 3, 1], [1 / 3, 1]])


def test_too_little_to_compare_makes_no_ranker_and_a_card(toy: tuple[Job, Version, pa.Table, dict[int, int]]) -> None:
    job, version, rows, cuts = toy
    choice = choose_ranker(job, version, rows, AS_OF, cuts, {})
    assert choice.ranker is None
    assert "of the earlier midnights nobody finished an episode" in choice.card
    assert "2 listeners" in choice.card


def test_nothing_is_learned_from_who_wants_privacy(toy: tuple[Job, Version, pa.Table, dict[int, int]]) -> None:
    job, version, rows, cuts = toy
    private = {"ada": Preference(privacy_first=True), "ben": Preference(personalisation=False)}
    assert "1 of 1 listeners" in choose_ranker(job, version, rows, AS_OF, cuts, private).card
    everybody = dict.fromkeys(("ada", "ben", "cleo"), Preference(privacy_first=True))
    assert "No ranker was trained: nobody listened" in choose_ranker(job, version, rows, AS_OF, cuts, everybody).card
