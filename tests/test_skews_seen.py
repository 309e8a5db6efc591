"""Each skew is seen by the suites that it says and by no other: in most worlds that were measured, and in one of them again."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.settings import load_settings
from lab.bench.detect import FULL
from lab.bench.detect_trials import Trial, tried
from lab.detect.nights import Replayer
from lab.detect.recorded import record
from lab.job import open_job
from lab.skews import catalogue
from lab.source import WorldSource
from lab.world import World
from monitoring.checks import Checks

MEASURED = Path(__file__).parent.parent / "docs" / "detection" / "detect.json"
SUITES = ("operations", "distribution", "parity", "ranking")
SEEN = {name: skew for name, skew in catalogue().items() if "parity" in skew.seen_by}
SEED = FULL.seeds[0]


def measured() -> dict[str, list[dict[str, Any]]]:
    """What ``skewlab bench detect`` found at severity 1, world by world, by skew."""
    found = defaultdict(list)
    for trial in msgspec.json.decode(MEASURED.read_bytes()):
        if trial["severity"] == 1:
            found[trial["skew"]].append(trial)
    return found


def worlds(suite: str, trials: list[dict[str, Any]]) -> int:
    """In how many worlds a suite raised an alarm."""
    return sum(bool(trial["found"][suite]) for trial in trials)


@pytest.mark.parametrize("name", SEEN)
def test_a_skew_is_seen_by_the_suites_that_it_says_and_by_no_other(name: str) -> None:
    trials = measured()[name]
    assert len(trials) == len(FULL.seeds)
    assert {suite for suite in SUITES if 2 * worlds(suite, trials) > len(trials)} == set(SEEN[name].seen_by)


def test_each_control_was_measured_and_nobody_saw_it() -> None:
    for name in set(catalogue()) - set(SEEN):
        trials = measured()[name]
        assert len(trials) == (0 if catalogue()[name].seen_by else len(FULL.seeds)), name
        assert sum(worlds(suite, trials) for suite in SUITES) == 0


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory, spark: object) -> dict[str, Trial]:
    """The first night of each skew, in the first of the measured worlds."""
    settings = load_settings(home=tmp_path_factory.mktemp("seen"))
    source = WorldSource(World(SEED, FULL.users), FULL.onset + 1)
    recorded = record(open_job(settings), settings.places, source, settings, SEED)
    replayer, checks = Replayer(recorded, FULL.onset, 1), Checks(settings.places.reports / "checks")
    return {name: tried(replayer, (skew(1, SEED),), name, 1, SEED, checks)[0] for name, skew in SEEN.items()}


@pytest.mark.spark
@pytest.mark.parametrize("name", SEEN)
def test_what_was_measured_is_what_happens(name: str, first_night: dict[str, Trial]) -> None:
    """Where not all worlds agreed about a suite it may see the skew here, or not."""
    trials, now = measured()[name], first_night[name]
    (then,) = (trial for trial in trials if trial["seed"] == SEED)
    (night,) = now.nights
    for suite in SUITES:
        sure = worlds(suite, trials) in (0, len(trials))
        assert not sure or bool(now.alarms(suite)) == (night in then["found"][suite]), suite
    assert bool(now.alarms("parity")) == (then["first"] == night)
    assert set(now.named) <= set(then["named"])
