"""What a recorded world says of a skew is what a run on the real Kafka and Redis says: five skews, one a day, each healed again.

And a recorded world without a skew is exact.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from batch.listens import REQUEST, Job
from contract.home import Home
from contract.settings import Settings
from contract.windows import DAY_MS, iso_date
from lab.detect.nights import Replayer
from lab.detect.recorded import Recorded, record
from lab.job import open_job
from lab.plan import plan_of
from lab.progress import Lines
from lab.run import run_scenario
from lab.scenario import Scenario
from lab.skews import catalogue
from lab.source import WorldSource
from lab.world import World
from monitoring.compare import align, mismatches
from monitoring.night import live_rows, served_rows
from monitoring.suspect import find_suspect

pytestmark = [pytest.mark.spark, pytest.mark.stack]
SEED, USERS = 7, 100
SKEWS = ("utc-day-boundary", "podcast-resume", "late-dropped", "window-edge", "key-mismatch")
DAYS = len(SKEWS)


@dataclass(frozen=True)
class Both:
    run: Home
    recorded: Recorded


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, spark: object) -> Both:
    def settings(name: str) -> Settings:
        return Settings(home=tmp_path_factory.mktemp(name), stack="embedded", partitions=4, step_events=50, served_share=0.5)

    skews = tuple(f"{name}@{day}" + (f"-{day + 1}" if day + 1 < DAYS else "") for day, name in enumerate(SKEWS))
    scenario = Scenario(name="five", seed=SEED, users=USERS, days=DAYS, skews=skews)
    on_stack = settings("run")
    plan = plan_of(scenario, lambda changes: WorldSource(World(SEED, USERS, changes=changes), DAYS))
    started: Future[Job] = Future()
    started.set_result(open_job(on_stack))
    with (tmp_path_factory.mktemp("said") / "progress").open("w") as out, Lines(DAYS, out) as progress:
        run_scenario(plan, on_stack, progress, started)
    alone = settings("recorded")
    recorded = record(open_job(alone), alone.places, WorldSource(World(SEED, USERS), DAYS), alone, SEED)
    return Both(on_stack.places, recorded)


def same(mine: pa.Table, theirs: pa.Table) -> None:
    pair = align(mine, theirs, REQUEST)
    assert (len(pair.missing), len(pair.extra)) == (0, 0)
    assert mismatches(pair) == {}
    assert [pair.left.column(name).to_pylist() for name in ("partition", "shows", "scores")] == [
        pair.right.column(name).to_pylist() for name in ("partition", "shows", "scores")
    ]


@pytest.mark.parametrize(("day", "name"), list(enumerate(SKEWS)), ids=SKEWS)
def test_the_frames_of_a_skew_are_those_of_a_run(day: int, name: str, both: Both) -> None:
    replayer, as_of_ms = Replayer(both.recorded, day, 1), both.recorded.midnight(day)
    skew = catalogue()[name](1, SEED)
    (night,) = replayer.nights((skew,))
    same(night.batch, pq.read_table(both.run.versions / iso_date(as_of_ms) / "rows"))
    same(night.live, live_rows(both.run, as_of_ms))
    logged = served_rows(both.run.served, as_of_ms - DAY_MS, as_of_ms)
    asked = night.requests.right
    assert len(asked) > 20
    same(asked, logged.filter(pc.is_in(logged.column("user_id"), asked.column("user_id").combine_chunks())))
    assert mismatches(night.snapshot) or mismatches(night.requests) or len(night.snapshot.missing)


def test_a_recorded_world_without_a_skew_is_exact(both: Both) -> None:
    nights = Replayer(both.recorded, 0).nights(())
    assert len(nights) == DAYS
    for night in nights:
        for pair in (night.snapshot, night.requests):
            assert len(pair) > 20
            assert (mismatches(pair), len(pair.missing), len(pair.extra)) == ({}, 0, 0)


def test_the_lab_knows_since_when_and_in_what_rows_differ(both: Both) -> None:
    replayer = Replayer(both.recorded, 1, 2)
    skews = (catalogue()["utc-day-boundary"](1, SEED),)
    nights = replayer.nights(skews)
    assert replayer.truth(nights) == (0, ["plays_yesterday", "active_days_28d"])
    assert replayer.truth(replayer.nights(())) == (None, [])
    assert find_suspect(replayer.evidence(nights), list(catalogue().values())).skew == "utc-day-boundary"


def test_a_fault_of_the_batch_side_is_named_too(both: Both) -> None:
    replayer = Replayer(both.recorded, 0, 1)
    nights = replayer.nights((catalogue()["sampling-bias"](1, SEED),))
    found = find_suspect(replayer.evidence(nights), list(catalogue().values()))
    assert (found.skew, found.explained) == ("sampling-bias", 1.0)
