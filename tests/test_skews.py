"""Contract checks that every skew of the catalogue has to pass, how a skew is asked for, and a student's own file.

A small world lives through ten days without any skew; from day 0 on a skew acts for three days on the live path.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contract.features import NAMES
from contract.home import Home
from contract.records import Watermark
from contract.skew import Acting, Skew
from contract.versions import Versions
from contract.windows import DAY_MS
from lab.skews import Request, catalogue
from lab.skews.benign_lag import BenignLag
from lab.skews.gradual_drift import GradualDrift
from lab.source import WorldSource
from lab.world import World
from monitoring.compare import align, mismatches
from streaming.overrides import Overrides
from streaming.step import PartitionPath, Step
from tests.toylake import ToyLog, home_with

LISTENERS, HISTORY, DAYS, PARTITIONS, STEP = 60, 10, 3, 2, 100
SEED = 2  # with it some of the sixty are hit by a skew that hits one in twenty
SUITES = {"operations", "distribution", "parity", "ranking"}
ROW = ("user_id", "as_of_ms", "partition", "cut")
SKEWS = catalogue()


@dataclass(frozen=True)
class Lived:
    """A world's log, and the live path of each partition as it stands when day 0 begins."""

    log: ToyLog
    onset: dict[int, int]
    paths: list[PartitionPath]

    def steps(self, *skews: Skew) -> list[list[Step]]:
        overrides = Overrides([Acting(skew, self.onset) for skew in skews])
        return [self.log.consume(path, size=STEP) for path in self._paths(overrides)]

    def clean_steps_like(self, steps: list[list[Step]]) -> list[list[Step]]:
        """Do clean steps that end where those of another path did."""
        ends = [[self.log.records[path.partition][s.first : s.next] for s in steps[path.partition]] for path in self.paths]
        return [[path.step(records) for records in some] for path, some in zip(self._paths(Overrides()), ends, strict=True)]

    @cached_property
    def clean(self) -> pa.Table:
        return rows(self.steps())

    def _paths(self, overrides: Overrides) -> list[PartitionPath]:
        paths = copy.deepcopy(self.paths)
        for path in paths:
            path.overrides = overrides
        return paths


def rows(steps: list[list[Step]]) -> pa.Table:
    return pa.concat_tables(step.rows.to_arrow() for some in steps for step in some if step.rows is not None and len(step.rows))


def snapshots(table: pa.Table) -> pa.Table:
    return table.filter(pa.array(np.asarray(table.column("as_of_ms")) % DAY_MS == 0))


def world_of(*changes: Skew) -> World:
    return World(7, LISTENERS, history_days=HISTORY, changes=[(0, change) for change in changes])


def log_of(*changes: Skew) -> tuple[ToyLog, dict[int, int]]:
    """Return the log of a world's history and days, and the offsets at which day 0 begins."""
    source, log, onset = WorldSource(world_of(*changes), DAYS), ToyLog(PARTITIONS), {}
    for day in range(-HISTORY, DAYS):
        if day == 0:
            onset = {partition: len(records) for partition, records in log.records.items()}
        for message in source.messages(day, PARTITIONS):
            log.raw(*message)
        log.control(Watermark(source.midnight(day + 1)))
    return log, onset


def lived(home: Home, *changes: Skew) -> Lived:
    log, onset = log_of(*changes)
    version_of = cache(Versions(home.versions).get)
    paths = [PartitionPath(partition, PARTITIONS, version_of) for partition in range(PARTITIONS)]
    for path in paths:
        log.consume(path, upto=onset[path.partition], size=STEP)
    return Lived(log, onset, paths)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home_with(tmp_path_factory.mktemp("home"), world_of().catalogue)[0]


@pytest.fixture(scope="module")
def small(home: Home) -> Lived:
    return lived(home)


def check_it_says_what_it_is(skew: type[Skew], small: Lived, home: Home) -> None:
    assert all([skew.title, skew.story, skew.fix, skew.parameter])
    assert skew.id.replace("-", "_") == Path(inspect.getfile(skew)).stem
    assert set(skew.moves) <= set(NAMES)
    assert set(skew.seen_by) <= SUITES
    assert len(set(skew.moves)) == len(skew.moves)
    assert skew.seen_by or not skew.moves  # a control moves nothing


def check_it_changes_nothing_at_severity_0(skew: type[Skew], small: Lived, home: Home) -> None:
    assert rows(small.steps(skew(0, SEED))).equals(small.clean)
    if skew.side == "world":
        assert log_of(skew(0, SEED)) == (small.log, small.onset)


def check_two_of_one_seed_do_the_same(skew: type[Skew], small: Lived, home: Home) -> None:
    assert rows(small.steps(skew(0.7, SEED))).equals(rows(small.steps(skew(0.7, SEED))))
    if skew.side == "world":
        assert log_of(skew(0.7, SEED)) == log_of(skew(0.7, SEED))


def check_it_moves_what_it_says_and_nothing_else(skew: type[Skew], small: Lived, home: Home) -> None:
    if skew.side == "batch":
        pytest.skip("the hooks of a batch skew take Spark frames")
    if skew.seen_by:
        moved = set(mismatches(align(small.clean, rows(small.steps(skew(1, SEED))), ROW)))
        assert moved & set(skew.moves)
        assert moved <= set(skew.moves)


def check_a_control_moves_nothing_as_of_the_same_instant(skew: type[Skew], small: Lived, home: Home) -> None:
    if skew.seen_by:
        return
    worst = skew(1, SEED)
    life = lived(home, worst) if skew.side == "world" else small
    steps = life.steps(worst)
    assert rows(steps).equals(rows(life.clean_steps_like(steps)))
    assert snapshots(rows(steps)).equals(snapshots(life.clean))


Check = Callable[[type[Skew], Lived, Home], None]
CHECKS: list[Check] = [
    check_it_says_what_it_is,
    check_it_changes_nothing_at_severity_0,
    check_two_of_one_seed_do_the_same,
    check_it_moves_what_it_says_and_nothing_else,
    check_a_control_moves_nothing_as_of_the_same_instant,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("skew", SKEWS.values(), ids=SKEWS)
def test_every_skew_of_the_catalogue(check: Check, skew: type[Skew], small: Lived, home: Home) -> None:
    check(skew, small, home)


def test_the_small_world_has_served_rows_and_a_snapshot_of_every_night(small: Lived) -> None:
    assert len(pc.unique(snapshots(small.clean).column("as_of_ms"))) == DAYS
    assert len(small.clean) > len(snapshots(small.clean)) > 0


def test_a_lagging_consumer_takes_fewer_and_bigger_steps(small: Lived) -> None:
    count = [sum(map(len, small.steps(BenignLag(severity, SEED)))) for severity in (0, 1)]
    assert count[1] < count[0]


def test_listeners_who_change_their_ways_leave_songs_earlier_each_day() -> None:
    same, changed = world_of(), world_of(GradualDrift(1, SEED))
    left = [changed.received(day).ms_played.sum() / same.received(day).ms_played.sum() for day in (0, 1, 2)]
    assert left[0] == 1 > left[1] > left[2]


OWN = """
from contract.skew import PerEvent

class Own(PerEvent):
    id = "own"

    def each(self, event):
        return None if event.device == "phone" and self.severity == 1 else event
"""


def test_a_students_own_file_works_the_same(small: Lived, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    own = [Request.parse(f"{tmp_path / 'own.py'}:{severity}").make(SEED) for severity in (0, 1)]
    assert rows(small.steps(own[0])).equals(small.clean)
    assert "phone_share_28d" in mismatches(align(small.clean, rows(small.steps(own[1])), ROW))
