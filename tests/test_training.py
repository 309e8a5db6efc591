"""What a ranker is trained on: point in time, with what was finished the day after, and nothing of whoever wants privacy.

And what a skew may change of it: the instants and cuts of the features, never the label or whose row it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import SparkSession

from batch import weekly
from batch.listens import Job
from batch.ranker import show_facts
from batch.rows import rows_as_of
from batch.training import KEPT_LISTENERS, Trainable, TrainingSet, kept_sample, training_set
from batch.weekly import choose_ranker, training_spine
from contract.errors import UsageError
from contract.event import Event
from contract.preferences import Preference
from contract.ranker import COLUMNS
from contract.records import Watermark
from contract.skew import Skew
from contract.versions import TRAINING_SCHEMA, Version
from contract.windows import DAY_MS, HOUR_MS, parse_instant
from lab.skews.point_in_time_leak import PointInTimeLeak
from tests.logs import OLD
from tests.toylake import ToyLog, event, home_with

pytestmark = pytest.mark.spark
AS_OF = parse_instant("2026-03-10")
DAY_BEFORE, MORNING = AS_OF - 2 * DAY_MS, AS_OF - DAY_MS + 8 * HOUR_MS
HALF_HOUR = 1_800_000
Toy = tuple[Job, Version, pa.Table, dict[int, int]]


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
def toy(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    home, version = home_with(tmp_path_factory.mktemp("training"), OLD)
    log = ToyLog()
    log.send(*sorted(EVENTS, key=lambda one: one.ts_ms))
    log.control(Watermark(AS_OF))
    job = Job(spark, log.archive(home))
    cuts = job.lake.cut(AS_OF)
    return job, version, rows_as_of(job, version, AS_OF, cuts), cuts


def trainable(toy: Toy, *skews: Skew) -> Trainable:
    job, version, rows, cuts = toy
    spine = training_spine(rows, job.lake, cuts, [AS_OF - 2 * DAY_MS, AS_OF - DAY_MS])
    return training_set(replace(job, skews=skews), version, spine, show_facts(rows, OLD))


@pytest.fixture(scope="module")
def made(toy: Toy) -> Trainable:
    return trainable(toy)


@pytest.fixture(scope="module")
def pairs(made: Trainable) -> TrainingSet:
    return made.pairs


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


def of(table: pa.Table, column: str) -> list[object]:
    return table.column(column).to_pylist(maps_as_pydicts="strict")


def test_the_rows_that_the_pairs_were_made_of_are_at_hand(made: Trainable) -> None:
    assert made.rows.schema.equals(TRAINING_SCHEMA)
    assert of(made.rows, "user_id") == made.pairs.listener.tolist()
    assert of(made.rows, "as_of_ms") == made.pairs.midnight_ms.tolist()
    assert of(made.rows, "show_listens_28d") == [{"show-a": 1}, {}]
    assert of(made.rows, "listen_minutes_28d") == [15.0, 100 / 60]


def test_a_leak_of_a_day_lets_rows_see_the_day_after_and_leaves_label_and_midnight(made: Trainable, toy: Toy) -> None:
    leaking = trainable(toy, PointInTimeLeak())
    last = pc.equal(leaking.rows.column("as_of_ms"), AS_OF - DAY_MS)
    assert of(leaking.rows.filter(last), "user_id") == ["ada", "ben", "cleo"], "of cleo nothing was known at the midnight"
    assert of(leaking.rows.filter(last), "show_listens_28d") == [{"show-a": 3, "show-b": 1}, {"show-b": 1}, {"show-b": 1}]
    assert of(leaking.rows.filter(pc.invert(last)), "show_listens_28d") == [{"show-a": 1}, {}]
    assert leaking.pairs.finished.tolist() == [[0, 0], [0, 0], [1, 0], [0, 1], [0, 1]]
    assert made.pairs.finished.tolist() == leaking.pairs.finished[2:4].tolist()


class Frozen(Skew):
    """All rows are as of the last midnight."""

    id = "frozen"

    def batch_training(self, spine: pa.Table) -> pa.Table:
        latest = [AS_OF - DAY_MS] * len(spine)
        return spine.set_column(1, "as_of_ms", pa.array(latest, pa.int64()))


def test_one_row_may_stand_for_several_midnights(made: Trainable, toy: Toy) -> None:
    frozen = trainable(toy, Frozen()).rows
    assert of(frozen, "as_of_ms") == [AS_OF - 2 * DAY_MS] * 2 + [AS_OF - DAY_MS] * 2
    earlier, later = (frozen.slice(at, 2).drop_columns("as_of_ms") for at in (0, 2))
    assert earlier.equals(later)
    assert later.equals(made.rows.drop_columns("as_of_ms"))


class Shuffled(Skew):
    """The rows come in another order."""

    id = "shuffled"

    def batch_training(self, spine: pa.Table) -> pa.Table:
        return spine.take(list(range(len(spine)))[::-1])


def test_a_skew_that_changes_whose_rows_they_are_is_refused(toy: Toy) -> None:
    with pytest.raises(UsageError, match="A skew changed who is trained on"):
        trainable(toy, Shuffled())


def test_a_sample_is_of_whole_listeners_and_of_the_midnights_that_are_asked_for() -> None:
    names = [f"user-{i:03d}" for i in range(300)]
    rows = pa.table({"user_id": names * 3, "as_of_ms": [at for at in (1, 2, 3) for _ in names]})
    kept = kept_sample(rows, [2, 3, 4])
    assert set(of(kept, "as_of_ms")) == {2, 3}
    listeners = of(kept, "user_id")
    assert len(listeners) == 2 * KEPT_LISTENERS
    assert listeners[:KEPT_LISTENERS] == listeners[KEPT_LISTENERS:] == sorted(set(listeners))
    assert listeners[:KEPT_LISTENERS] != names[:KEPT_LISTENERS]
    assert len(kept_sample(rows, [])) == 0


def test_too_little_to_compare_makes_no_ranker_and_a_card(toy: Toy) -> None:
    job, version, rows, cuts = toy
    choice = choose_ranker(job, version, rows, AS_OF, cuts, {})
    assert choice.ranker is None
    assert "of the earlier midnights nobody finished an episode" in choice.card
    assert "2 listeners" in choice.card
    assert choice.sample is not None
    assert len(choice.sample) == 0, "the lake has a cut of none of these midnights"


def test_where_nobody_listened_before_the_last_day_spark_is_not_asked(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    job, version, rows, cuts = toy
    first = parse_instant(min(file.date for file in job.lake.event_files()))
    monkeypatch.setattr(weekly, "training_set", None)  # whoever calls it fails
    choice = choose_ranker(job, version, rows, first + DAY_MS, cuts, {})
    assert "nobody listened before the last day" in choice.card
    assert choice.ranker is None
    with pytest.raises(TypeError, match="not callable"):
        choose_ranker(job, version, rows, first + 2 * DAY_MS, cuts, {})


def test_nothing_is_learned_from_who_wants_privacy(toy: Toy) -> None:
    job, version, rows, cuts = toy
    private = {"ada": Preference(privacy_first=True), "ben": Preference(personalisation=False)}
    assert "1 of 1 listeners" in choose_ranker(job, version, rows, AS_OF, cuts, private).card
    everybody = dict.fromkeys(("ada", "ben", "cleo"), Preference(privacy_first=True))
    assert "No ranker was trained: nobody listened" in choose_ranker(job, version, rows, AS_OF, cuts, everybody).card
