"""The loop itself: serve, let the world listen to what is served, learn from the last four weeks, serve again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from batch.neighbours import Ints
from batch.recommending.crowd import Crowd
from contract.rows import Floats
from contract.versions import ItemVectors
from lab.evaluation.truth import songs
from lab.feedback.arms import ARMS, Arm, shelf
from lab.feedback.listening import CONSTANTS, WEEK, Heard, Week, engagement, skipping
from lab.feedback.measures import Yardstick
from lab.world import World

WINDOW = 4
"""Weeks that a night looks back on."""
FOLLOWED = 0.5
"""The share of the listening that takes what is served; the rest the listeners choose by themselves."""


def experiment(seeds: Sequence[int], users: int, weeks: int, share: float = FOLLOWED) -> dict[str, Floats]:
    """Return what was measured in each arm, (seeds, weeks, ``MEASURES``): each arm in the same worlds, by the same chance."""
    found: dict[str, list[Floats]] = {name: [] for name in ARMS}
    for seed in seeds:
        world = World(seed, users, history_days=WINDOW * WEEK)
        drawn = [Week.of(world, week) for week in range(-WINDOW, weeks)]
        for name, arm in ARMS.items():
            found[name].append(run(world, drawn, arm, share))
    return {name: np.array(values) for name, values in found.items()}


def run(world: World, drawn: Sequence[Week], arm: Arm, share: float = FOLLOWED) -> Floats:
    """Return what was measured each week, (weeks, ``MEASURES``); the first ``WINDOW`` of ``drawn`` are history."""
    heard = [week.alone for week in drawn[:WINDOW]]
    learnt, measured = [*heard], []
    truth, listeners = skipping(world), world.listeners
    yardstick = Yardstick.of(Heard.concat(heard), truth)
    for number, week in enumerate(drawn[WINDOW:]):
        shown = retrained(world, Heard.concat(learnt[-WINDOW:]), arm, number)
        here = (listeners.music_sessions > 0) & (listeners.joined_day <= number * WEEK)
        measured.append(yardstick.measure(shown, here, Heard.concat(heard[-WINDOW:])))
        heard.append(week.with_shelf(shown, share, truth))
        learnt.append(heard[-1].take(week.follows >= share) if arm.organic else heard[-1])
    return np.array(measured)


def retrained(world: World, window: Heard, arm: Arm, week: int) -> Ints:
    """Learn from a window of listens, and return everybody's shelf for a week, (n, SHOWN)."""
    crowd = Crowd.of(engagement(world, window), songs(world), ItemVectors.none(), {}, CONSTANTS, world.seed)
    return shelf(crowd, arm, world.midnight(week * WEEK), world.seed)
