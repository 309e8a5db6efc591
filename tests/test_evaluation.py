"""The comparison against the truth: its engagement by hand, and that together they beat each alone."""

from __future__ import annotations

import numpy as np
import pytest

from batch.recommending.hybrid import WEIGHTS, Weights
from contract.event import Events
from contract.windows import DAY_MS, HOUR_MS
from lab.evaluation.compare import (
    COLLABORATIVE,
    CONTENT,
    DISCOUNTED,
    HYBRID,
    METHODS,
    POPULARITY,
    SERVED,
    compare,
    variety,
)
from lab.evaluation.heard import engagement_of, heard_before
from lab.evaluation.held_out import held_out
from lab.evaluation.truth import songs, truth
from lab.world import World
from lab.world.listening import skip_chance
from tests.toylake import event

AS_OF = 40 * DAY_MS


def events(*listens: tuple[str, str, float, int]) -> Events:
    """User, item, hours before the midnight, seconds played."""
    found = [
        event(user, item, AS_OF - int(hours * HOUR_MS), ms_played=seconds * 1000, event_id=f"{user}{item}{hours}")
        for user, item, hours, seconds in listens
    ]
    return Events.of(found, range(len(found)))


def engaged(*listens: tuple[str, str, float, int]) -> dict[tuple[str, str], float]:
    found = engagement_of(events(*listens), AS_OF)
    matrix = found.matrix.toarray()
    return {
        (user, item): matrix[i, j] for i, user in enumerate(found.users) for j, item in enumerate(found.items) if matrix[i, j]
    }


def test_engagement_by_hand() -> None:
    assert engaged(
        ("ann", "x", 50, 29),  # a skip
        ("ann", "y", 50, 29),  # a skip, then a play
        ("ann", "y", 40, 30),
        ("ann", "z", 50, 100),  # played again 24 hours later: a replay
        ("ann", "z", 26, 100),
        ("bob", "z", 50, 100),  # and an hour more than that: none
        ("bob", "z", 25, 100),
        ("bob", "y", 5, 100),  # a skip soon after a play is no replay
        ("bob", "y", 4, 10),
        ("bob", "x", 5, 10),  # nor a play soon after a skip
        ("bob", "x", 4, 100),
    ) == {
        ("ann", "x"): 0.1,
        ("ann", "y"): 0.5,
        ("ann", "z"): 0.9,
        ("bob", "z"): 0.5,
        ("bob", "y"): 0.5,
        ("bob", "x"): 0.5,
    }


def test_a_duplicate_is_no_replay_and_the_window_is_28_days() -> None:
    twice = events(("ann", "x", 5, 100), ("ann", "x", 5, 100), ("ann", "y", 28 * 24, 100), ("ann", "z", 28 * 24 + 1, 100))
    found = engagement_of(twice, AS_OF)
    assert dict(zip(found.items, found.matrix.toarray()[0].tolist(), strict=True)) == {"x": 0.5, "y": 0.5}


def test_the_play_before_may_lie_before_the_window() -> None:
    assert engaged(("ann", "x", 28 * 24 + 1, 100), ("ann", "x", 28 * 24 - 1, 100)) == {("ann", "x"): 0.9}


def test_nothing_heard_is_nobody() -> None:
    assert engagement_of(Events.of([], []), AS_OF).users == ()


def test_the_truth_is_what_the_world_draws_from() -> None:
    world = World(seed=3, users=40, history_days=28)
    heard = heard_before(world, 0)
    found = truth(world, heard)
    assert found.shape == (len(heard.users), 600)
    who, song = world.listeners.ids.tolist().index(heard.users[5]), list(songs(world).items)[17]
    genre = world.stock.song_genre[world.stock.song_ids.index(song)]
    assert found[5, 17] == 1 - skip_chance(world.listeners.music_taste[who, genre])
    assert skip_chance(np.array([0.0, 1.0])) == pytest.approx([0.58, 0.08 + 0.5 * np.exp(-6)])


def test_together_they_beat_each_alone() -> None:
    found = compare(seed=1, users=200)
    assert list(found) == list(METHODS)
    assert found[SERVED] > max(found[POPULARITY], found[COLLABORATIVE], found[CONTENT])
    assert found[HYBRID] > max(found[DISCOUNTED], found[SERVED])
    assert found == compare(seed=1, users=200)
    artists = variety(seed=1, users=200)
    assert artists[SERVED] > artists[HYBRID]


def test_the_weights_are_better_than_any_part_on_listening_held_out() -> None:
    alone = (Weights(content=0.0, quality=0.0, discount=0.0), Weights(collaborative=0.0, content=1.0, quality=0.0))
    found = held_out(seed=102, users=200, grid=(WEIGHTS, *alone))
    assert found[WEIGHTS] > max(found[one] for one in alone) > 0.5
