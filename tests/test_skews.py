"""Contract checks that every skew of the catalogue has to pass, how a skew is asked for, and a student's own file.

A small world lives through two weeks without any skew; from day 0 on a skew acts for three days on the live path. Skews of the
batch side are checked in ``test_skews_batch.py``; of them only what they say of themselves is looked at here.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contract.event import DEVICES, MUSIC
from contract.features import NAMES, ROW_SCHEMA, FeatureConstants
from contract.home import Home
from contract.skew import Acting, Evidence, Group, Side, Skew
from contract.versions import INITIAL, ItemVectors, Manifest, Versions
from contract.windows import DAY_MS
from lab.skews import Request, catalogue
from lab.skews.benign_lag import BenignLag
from lab.skews.gradual_drift import GradualDrift
from lab.skews.shared_corruption import SharedCorruption
from lab.skews.world_shock import WorldShock
from lab.world import World
from monitoring.compare import align, mismatches
from streaming.overrides import Overrides
from streaming.step import PartitionPath, Step
from tests.smallworld import log_of
from tests.toylake import ToyLog

LISTENERS, HISTORY, DAYS, PARTITIONS, STEP = 150, 28, 3, 2, 100
SEED = 2
SUITES = {"operations", "distribution", "parity", "ranking", "training"}
ROW = ("user_id", "as_of_ms", "partition", "cut")
SKEWS = catalogue()

UNFELT: Mapping[str, Mapping[float, str]] = {
    "stale-dimension": {30: "nothing in the world is younger than 30 days"},
}
"""Explanations that change nothing in the small world, and why that is right."""
UNMOVED: Mapping[str, Mapping[str, str]] = {
    "event-vs-processing-time": {"distinct_items_28d": "only at the window's far end, 28 days after it began"},
    "music-logic-on-podcasts": dict.fromkeys(("top_genre", "top_genre_affinity"), "one podcast in a hundred is short enough"),
}
"""Features that a skew can move and does not in the small world, and why."""


@dataclass(frozen=True)
class Lived:
    """A world's log, and the live path of each partition as it stands when day 0 begins."""

    log: ToyLog
    onset: dict[int, int]
    paths: list[PartitionPath]

    def steps(self, *skews: Skew) -> list[list[Step]]:
        return [self.log.consume(path, size=STEP) for path in self._paths(*skews)]

    def steps_like(self, steps: list[list[Step]], *skews: Skew) -> Iterator[Step]:
        """Do steps that end where those of another path did, one after the other."""
        for path, others in zip(self._paths(*skews), steps, strict=True):
            for other in others:
                yield path.step(self.log.records[path.partition][other.first : other.next])

    def feels(self, skew: Skew) -> bool:
        """Tell whether any row is another one with a skew; what follows on the first of them is not looked at."""
        others = (_table(step) for step in self.steps_like(self.clean_steps, skew))
        return any(not other.equals(table) for other, table in zip(others, self.clean_tables, strict=False))

    @cached_property
    def clean_steps(self) -> list[list[Step]]:
        return self.steps()

    @cached_property
    def clean_tables(self) -> list[pa.Table]:
        return [_table(step) for some in self.clean_steps for step in some]

    @cached_property
    def clean(self) -> pa.Table:
        return pa.concat_tables(self.clean_tables)

    def _paths(self, *skews: Skew) -> list[PartitionPath]:
        overrides = Overrides([Acting(skew, self.onset) for skew in skews])
        states = (copy.deepcopy((path.states, path.clock)) for path in self.paths)
        return [
            dataclasses.replace(path, overrides=overrides, states=listeners, clock=clock, _facts=None)
            for path, (listeners, clock) in zip(self.paths, states, strict=True)
        ]


def rows(steps: list[list[Step]]) -> pa.Table:
    return pa.concat_tables(_table(step) for some in steps for step in some)


def _table(step: Step) -> pa.Table:
    return step.rows.to_arrow() if step.rows is not None and len(step.rows) else ROW_SCHEMA.empty_table()


def snapshots(table: pa.Table) -> pa.Table:
    return table.filter(pa.array(np.asarray(table.column("as_of_ms")) % DAY_MS == 0))


def world_of(*changes: Skew) -> World:
    return World(7, LISTENERS, history_days=HISTORY, changes=[(0, change) for change in changes])


def log_under(*changes: Skew) -> tuple[ToyLog, dict[int, int]]:
    return log_of(world_of(*changes), DAYS, PARTITIONS)


def lived(home: Home, *changes: Skew) -> Lived:
    log, onset = log_under(*changes)
    version_of = cache(Versions(home.versions).get)
    paths = [PartitionPath(partition, PARTITIONS, version_of) for partition in range(PARTITIONS)]
    for path in paths:
        log.consume(path, upto=onset[path.partition], size=STEP)
    return Lived(log, onset, paths)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose only version has the world's catalogue, and a vector for each item."""
    home, known = Home(tmp_path_factory.mktemp("home")), world_of().catalogue
    versions, items = Versions(home.versions), tuple(known.items)
    with versions.building(INITIAL) as draft:
        known.write(draft / "catalogue.parquet")
        ItemVectors(items, np.random.default_rng(SEED).normal(0, 1, (len(items), 8))).write(draft / "item_vectors.parquet")
        versions.publish(draft, Manifest(INITIAL, 0, {}, INITIAL, 0, None, 0))
    return home


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
    assert skew.side in get_args(Side)
    assert (skew.group == "control") == (not skew.seen_by)
    assert skew.side != "world" or skew.group == "control"


def check_it_says_how_it_is_known(skew: type[Skew], small: Lived, home: Home) -> None:
    assert skew.group in set(get_args(Group)) - {"own"}
    assert skew.evidence in get_args(Evidence)
    assert skew.sources or skew.evidence == "C"  # what was published, was published somewhere
    assert all(source.startswith("https://") for source in skew.sources)
    assert len(set(skew.sources)) == len(skew.sources)


def check_its_knob_runs_from_harmless_to_worst(skew: type[Skew], small: Lived, home: Home) -> None:
    assert skew(0).value == skew.harmless
    assert skew(1).value == pytest.approx(skew.worst)
    assert 0 < skew.spread <= 1
    assert skew.value_name or not (skew(0).share or skew.harmless or skew.tries)
    assert len(set(skew.tries)) == len(skew.tries)
    assert skew.harmless not in skew.tries
    assert not skew.tries or skew.worst in skew.tries


def check_it_changes_nothing_at_severity_0(skew: type[Skew], small: Lived, home: Home) -> None:
    _not_of_the_batch_side(skew)
    assert skew(0, SEED).settings(FeatureConstants()) == FeatureConstants()
    assert rows(small.steps(skew(0, SEED))).equals(small.clean)
    if skew.side == "world":
        assert log_under(skew(0, SEED)) == (small.log, small.onset)


def check_two_of_one_seed_do_the_same(skew: type[Skew], small: Lived, home: Home) -> None:
    _not_of_the_batch_side(skew)
    assert rows(small.steps(skew(0.7, SEED))).equals(rows(small.steps(skew(0.7, SEED))))
    if skew.side == "world":
        assert log_under(skew(0.7, SEED)) == log_under(skew(0.7, SEED))


def check_it_moves_all_that_it_says_and_nothing_else(skew: type[Skew], small: Lived, home: Home) -> None:
    _not_of_the_batch_side(skew)
    if skew.seen_by:
        pair = align(small.clean, rows(small.steps(skew(1, SEED))), ROW)
        moved, expected = set(mismatches(pair)), set(skew.moves) - set(UNMOVED.get(skew.id, {}))
        assert moved if skew.moves else len(pair.missing)
        for one in skew.hypotheses():
            if moved >= expected:
                break
            moved |= set(mismatches(align(small.clean, rows(small.steps(one)), ROW)))
        assert moved == expected


def check_each_explanation_changes_something(skew: type[Skew], small: Lived, home: Home) -> None:
    _not_of_the_batch_side(skew)
    if skew.seen_by:
        tried = skew.hypotheses()
        assert [one.value for one in tried] == [*(skew.tries or (skew.worst,))]
        assert all(one.share == 1 for one in tried)
        assert [one.value for one in tried if not small.feels(one)] == [*UNFELT.get(skew.id, {})]


def check_a_control_moves_nothing_as_of_the_same_instant(skew: type[Skew], small: Lived, home: Home) -> None:
    if skew.seen_by:
        return
    worst = skew(1, SEED)
    life = lived(home, worst) if skew.side == "world" else small
    assert skew.side != "world" or life.log != small.log
    steps = life.steps(worst)
    assert rows(steps).equals(pa.concat_tables(map(_table, life.steps_like(steps))))
    assert snapshots(rows(steps)).equals(snapshots(life.clean))


def _not_of_the_batch_side(skew: type[Skew]) -> None:
    if skew.side == "batch":
        pytest.skip("the hooks of a batch skew take Spark frames: test_skews_batch.py")


Check = Callable[[type[Skew], Lived, Home], None]
CHECKS: list[Check] = [check for name, check in list(globals().items()) if name.startswith("check_")]


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


def test_people_who_stay_at_home_from_a_day_on_hear_from_speakers_and_half_of_their_songs() -> None:
    same, changed = world_of(), world_of(WorldShock(1, SEED))
    assert changed.received(-1).to_records() == same.received(-1).to_records()
    before, after = same.received(0), changed.received(0)
    songs = before.kind == MUSIC
    assert after.ms_played[songs].tolist() == (before.ms_played[songs] // 2).tolist()
    assert after.ms_played[~songs].tolist() == before.ms_played[~songs].tolist()
    assert {DEVICES[device] for device in after.device} == {"speaker"}


def test_a_fault_before_the_paths_part_takes_all_playing_time_of_some_clients_and_none_of_others() -> None:
    same, changed = world_of().received(0), world_of(SharedCorruption(1, SEED)).received(0)
    hit = SharedCorruption(1, SEED).hit(same.user_id)
    assert 0 < hit.mean() < 0.5
    assert not changed.ms_played[hit].any()
    assert changed.ms_played[~hit].tolist() == same.ms_played[~hit].tolist()


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
