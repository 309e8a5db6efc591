"""What is healed is as if no skew had ever acted: state by state, and snapshot by snapshot of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

import lab.heal
from batch.listens import Job
from contract.errors import InfrastructureError, UsageError
from contract.event import Names
from contract.home import Home
from contract.lake import Lake
from contract.settings import Settings
from contract.skew import Acting, Skew
from lab.heal import _rebuild_beside_members, heal, rebuild_partition
from lab.inject import inject
from lab.outcome import Outcome
from lab.overrides import read_overrides, recorded
from lab.plan import Plan, plan_of
from lab.run import Run
from lab.scenario import Scenario
from lab.skews import Request
from lab.source import WorldSource
from lab.stack import Stack, open_stack
from lab.world import World
from monitoring.checks import Checks
from monitoring.night import live_rows
from streaming.items import Items
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.overrides import Overrides
from streaming.state import States
from streaming.store import Fenced, MemoryStore, Store
from streaming.testing import held
from tests.live import PARTITIONS as LIVE_PARTITIONS
from tests.live import InParts, running
from tests.logs import home_of, listeners_of
from tests.saying import Say
from tests.servers import Servers, emptied
from tests.test_faults_rebuild import Dropping, Forgetting, logged
from tests.test_inject import SKEW, settings_of, under
from tests.toylake import ToyLog, encoded

PARTITION, PARTITIONS, STEP = 0, 2, 7
USERS = listeners_of(PARTITION, PARTITIONS)


class Renaming(Skew):
    """Stores rows under other names."""

    id = "renaming"

    def keys(self, users: Names) -> Names:
        return users + "!"


def acting(kind: type[Skew], onset: int) -> Acting:
    return Acting(kind(seed=3), {PARTITION: onset})


def consume(home: Home, store: Store, log: ToyLog, upto: int, *skews: Acting) -> None:
    """Let a new member consume up to an offset."""
    member = Member(home, store, PARTITIONS, STEP, Overrides(skews))
    at = member.take_over(PARTITION)
    for record in log.records[PARTITION][at:upto]:
        member.feed(PARTITION, [record])
    member.feed(PARTITION, [])


def states(store: Store) -> object:
    claim = store.claim(PARTITION)
    return claim.meta, encoded(States(claim.states, Items.of(claim.items)))


def snapshots(home: Home) -> dict[str, pa.Table]:
    return {str(path.relative_to(home.root)): pq.read_table(path) for path in sorted(home.snapshots.rglob("*.parquet"))}


@pytest.mark.parametrize("kind", [Dropping, Forgetting, Renaming])
def test_what_is_rebuilt_goes_on_as_if_nothing_had_acted(tmp_path: Path, kind: type[Skew]) -> None:
    log, half = logged(), 20 * STEP
    (home, _), (calm, _) = home_of(tmp_path / "skewed"), home_of(tmp_path / "clean")
    store, clean = MemoryStore(), MemoryStore()
    consume(home, store, log, half, acting(kind, 41))
    consume(calm, clean, log, half)
    before = snapshots(home)
    assert before.keys() == snapshots(calm).keys()
    assert kind is Renaming or states(store) != states(clean)
    log.archive(home)
    rebuild_partition(home, store, PARTITION, PARTITIONS, (), STEP)
    assert states(store) == states(clean)
    assert {user: store.row(PARTITION, user) is not None for user in USERS} == dict.fromkeys(USERS, True)
    assert {store.row(PARTITION, f"{user}!") for user in USERS} == {None}
    consume(home, store, log, len(log.records[PARTITION]))
    consume(calm, clean, log, len(log.records[PARTITION]))
    assert states(store) == states(clean)
    after = {name: table for name, table in snapshots(home).items() if name not in before}
    assert len(after) > 5
    assert after == {name: table for name, table in snapshots(calm).items() if name not in before}


def test_what_still_acts_is_in_the_rebuilt_state(tmp_path: Path) -> None:
    log, upto, other = logged(), 20 * STEP, acting(Dropping, 60)
    (home, _), (calm, _) = home_of(tmp_path / "both"), home_of(tmp_path / "one")
    store, alone = MemoryStore(), MemoryStore()
    consume(home, store, log, upto, acting(Forgetting, 41), other)
    consume(calm, alone, log, upto, other)
    log.archive(home)
    assert states(store) != states(alone)
    rebuild_partition(home, store, PARTITION, PARTITIONS, [other], STEP)
    assert states(store) == states(alone)


@dataclass(frozen=True)
class Begun:
    """A skewed partition behind a log that is not archived yet."""

    home: Home
    stack: Stack
    log: ToyLog

    def owner(self) -> Member:
        member = Member(self.home, self.stack.store, PARTITIONS, STEP)
        member.take_over(PARTITION)
        return member

    @property
    def left(self) -> object:
        return held(self.stack.store, PARTITION, USERS)


@pytest.fixture
def begun(tmp_path: Path) -> Begun:
    (home, _), stack, log = home_of(tmp_path / "home"), Stack(MemoryLog(PARTITIONS), MemoryStore()), logged()
    consume(home, stack.store, log, 70, acting(Forgetting, 7))
    return Begun(home, stack, log)


def test_where_a_member_takes_the_partition_back_nothing_is_changed(begun: Begun) -> None:
    begun.log.archive(begun.home)
    before = begun.left
    with pytest.raises(Fenced):
        rebuild_partition(begun.home, begun.stack.store, PARTITION, PARTITIONS, (), STEP, archive=begun.owner)
    assert begun.left == before


def test_where_members_take_it_back_again_and_again_that_is_told_in_one_line(begun: Begun) -> None:
    begun.log.archive(begun.home)
    with pytest.raises(
        InfrastructureError, match=r"members took it back 10 times .* Stop 'skewlab stream', run 'skewlab heal' again"
    ):
        _rebuild_beside_members(begun.home, begun.stack, PARTITION, begun.owner)


def test_a_member_that_takes_it_back_and_goes_on_does_not_hinder_it(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.log.archive(begun.home)
    ends, whole = [70, 84, 98], Mock(wraps=lab.heal.rebuild)
    monkeypatch.setattr(lab.heal, "rebuild", whole)

    def goes_on() -> None:
        if len(ends) > 1:
            first, end = ends.pop(0), ends[0]
            begun.owner().feed(PARTITION, begun.log.records[PARTITION][first:end])

    _rebuild_beside_members(begun.home, begun.stack, PARTITION, goes_on)
    clean = MemoryStore()
    consume(home_of(begun.home.root / "clean")[0], clean, begun.log, 98)
    assert states(begun.stack.store) == states(clean)
    assert whole.call_count == 1, "what was made again is not made once more"


def test_a_lake_that_is_behind_the_store_changes_nothing(begun: Begun) -> None:
    before = begun.left
    with pytest.raises(InfrastructureError, match=r"up to offset 0, not 70\. Let the archiver catch up"):
        rebuild_partition(begun.home, begun.stack.store, PARTITION, PARTITIONS, (), STEP)
    assert begun.left == before


def test_a_store_that_holds_nothing_is_filled_as_a_member_would(begun: Begun, tmp_path: Path) -> None:
    begun.log.archive(begun.home)
    store, other = MemoryStore(), MemoryStore()
    rebuild_partition(begun.home, store, PARTITION, PARTITIONS, (), STEP)
    Member(begun.home, other, PARTITIONS, STEP).take_over(PARTITION)
    assert held(store, PARTITION, USERS) == held(other, PARTITION, USERS)
    assert store.outbox(PARTITION, 1), "there are dead letters to tell"


@pytest.mark.parametrize("rebuild", [True, False])
def test_a_running_member_goes_on_with_the_healed_state(servers: Servers, tmp_path: Path, rebuild: bool) -> None:
    stack = emptied(servers, LIVE_PARTITIONS)
    sent, (home, _) = InParts(stack, 3), home_of(tmp_path / "home")
    settings = settings_of(stack, home)
    with running(stack, home) as one:
        one.member.recorded = lambda: Overrides(read_overrides(home))
        sent.send(0)
        sent.consumed_to(0)
        inject(settings, Request(SKEW, 1.0), seed=7)
        sent.send(1)
        sent.consumed_to(1)
        done = heal(settings, rebuild=rebuild)
        assert [one.until for one in done.ended] == [sent._end(1)]
        assert [one.rebuilt for one in recorded(home)] == [rebuild]
        sent.send(2)
        sent.consumed_to(2)
    lingering = Acting(one.member.overrides._acting[0].skew, sent._end(0), sent._end(1)) if not rebuild else None
    assert sent.stored(home) == under(sent, home, 2, *([lingering] if lingering else []))
    again = heal(settings, rebuild=True)  # what lingers is healed late; what was healed is not healed twice
    assert [one.skew for one in again.ended] == ([] if rebuild else [SKEW])
    assert sent.stored(home) == sent.expected(home)


def test_without_a_stack_nothing_is_healed(say: Say) -> None:
    assert say("heal").refusal == "No stack runs in this home. Start one: 'skewlab stack up'."
    assert say("heal", "--no-rebuild", "--stack", "replay").refusal.startswith("The replay runner is no stack")


class Silent:
    """Progress that is told to nobody."""

    def stage(self, day: int, what: str) -> None: ...

    def night(self, day: int, document: dict[str, Any]) -> None: ...


DAYS = 3


def planned(*skews: str, rebuild: bool = True) -> Plan:
    scenario = Scenario(name="healed", seed=5, users=60, days=DAYS, history_days=12, skews=skews, rebuild=rebuild)
    return plan_of(scenario, lambda changes: WorldSource(World(5, 60, history_days=12, changes=changes), DAYS))


@dataclass(frozen=True)
class Ran:
    """A run whose skew, which damages the state, acts on day 0 and ends with it."""

    run: Run
    outcome: Outcome

    def live(self, day: int) -> pa.Table:
        return live_rows(self.run.home, self.run.source.midnight(day + 1)).sort_by("user_id")

    def clean(self, day: int) -> pa.Table:
        assert self.run._twin is not None
        return self.run._twin.snapshot(self.run.source.midnight(day + 1)).sort_by("user_id")


def ran(folder: Path, spark: SparkSession, rebuild: bool) -> Ran:
    settings = Settings(home=folder, stack="replay", partitions=PARTITIONS, step_events=100)
    home = settings.places
    with open_stack(settings) as stack:
        checks, job = Checks(home.reports / "checks"), Job(spark, Lake(home.lake))
        run = Run(planned("duplicates-counted@0-1", rebuild=rebuild), home, stack, job, checks, Silent(), settings)
        return Ran(run, run.execute())


@pytest.mark.spark
def test_from_the_heal_on_every_snapshot_is_the_clean_twins(tmp_path: Path, spark: SparkSession) -> None:
    one = ran(tmp_path, spark, rebuild=True)
    assert [one.live(day) == one.clean(day) for day in range(DAYS)] == [False, True, True]
    assert [night.verdict.exact for night in one.outcome.nights] == [False, True, True]
    (kept,) = recorded(one.run.home)
    assert (kept.skew, kept.rebuilt) == ("duplicates-counted", True)
    assert all(kept.onset[p] < kept.until[p] for p in range(PARTITIONS))
    assert read_overrides(one.run.home) == []


@pytest.mark.spark
def test_without_a_rebuild_the_damage_lingers_behind_the_end(tmp_path: Path, spark: SparkSession) -> None:
    one = ran(tmp_path, spark, rebuild=False)
    assert [one.live(day) == one.clean(day) for day in range(DAYS)] == [False, False, False]
    (kept,) = recorded(one.run.home)
    assert (bool(kept.until), kept.rebuilt) == (True, False)


def test_a_skew_of_the_batch_side_ends_by_its_day() -> None:
    (one,) = planned("podcast-resume@1-2").skews
    assert [one.acts(day) for day in range(-1, 4)] == [False, False, True, False, False]
    (stays,) = planned("podcast-resume@1").skews
    assert [stays.acts(day) for day in range(-1, 4)] == [False, False, True, True, True]


def test_a_control_that_ends_leaves_the_world_as_it_was() -> None:
    clean, changed = World(5, 60, history_days=12), planned("gradual-drift@0-2").source
    assert isinstance(changed, WorldSource)
    same = [(changed.world.received(day).ms_played == clean.received(day).ms_played).all() for day in (0, 1, 2)]
    assert same == [True, False, True]  # its first day is where it begins from


@pytest.mark.parametrize(("skew", "says"), [("podcast-resume@3", "begins on day 3"), ("podcast-resume@1-3", "ends on day 3")])
def test_a_skew_begins_and_ends_within_the_run(skew: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"A skew {says}: the run has days 0 to 2. Name an earlier day"):
        planned(skew)
