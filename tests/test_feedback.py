"""The feedback loop: a week and its measures by hand, and that the loop turns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from batch.recommending.for_you import SHOWN, for_you
from contract.catalogue import Catalogue
from contract.recommendation import EXPLORE
from contract.rows import Floats
from contract.windows import HOUR_MS
from lab.feedback.arms import ARMS, unexplored
from lab.feedback.listening import Heard, Week, engagement, skipping
from lab.feedback.loop import WINDOW, experiment, retrained, run
from lab.feedback.measures import BEST, BIAS, COVERAGE, HEAD, LIFT, MEASURES, QUALITY, Yardstick
from lab.feedback.picture import picture
from lab.world import World
from tests.crowds import block_of, crowd_of, song
from tests.crowds import heard as heard_by

USERS, WEEKS = 60, 4


@pytest.fixture(scope="module")
def found() -> dict[str, Floats]:
    return experiment((1, 2), USERS, WEEKS)


def of(found: dict[str, Floats], arm: str, measure: str) -> Floats:
    return found[arm][:, :, MEASURES.index(measure)]


def listens(*each: tuple[int, int, int, bool]) -> Heard:
    """Listener, song, hour, whether it was a play."""
    who, what, hour, played = zip(*each, strict=True)
    return Heard(np.array(who), np.array(what), np.array(hour) * HOUR_MS, np.array(played))


def test_engagement_by_hand() -> None:
    world = World(1, 2)
    heard = listens(
        (0, 5, 1, False),
        (0, 5, 9, True),  # a play after a skip is no replay
        (0, 7, 1, True),
        (0, 7, 25, True),  # 24 hours later: a replay
        (1, 7, 1, True),
        (1, 7, 26, True),  # one hour too late
        (1, 5, 3, False),
    )
    matrix: csr_array = engagement(world, heard).matrix
    assert matrix.nnz == 4
    assert matrix.toarray()[:, [5, 7]].tolist() == [[0.5, 0.9], [0.1, 0.5]]


def test_who_follows_takes_the_song_at_the_place_and_skips_by_the_truth() -> None:
    alone = listens((0, 9, 1, True), (0, 9, 2, True), (1, 9, 3, False), (1, 9, 4, True))
    week = Week(alone, np.array([0.1, 0.9, 0.4, 0.2]), np.array([0, 1, 1, 0]), np.array([0.3, 0.0, 0.3, 0.1]))
    skips = np.tile(np.arange(10) / 10, (2, 1))
    heard = week.with_shelf(np.array([[1, 2], [3, 4]]), 0.5, skips)
    assert heard.song.tolist() == [1, 9, 4, 3]
    assert heard.played.tolist() == [True, True, False, False]
    assert heard.end_ms.tolist() == alone.end_ms.tolist()


def test_nobody_follows_and_nothing_is_changed() -> None:
    world = World(1, 20)
    week = Week.of(world, 0)
    heard = week.with_shelf(np.zeros((20, SHOWN), np.int64), 0.0, skipping(world))
    assert heard.song.tolist() == week.alone.song.tolist()
    assert heard.played.tolist() == week.alone.played.tolist()


def test_the_first_places_are_chosen_most() -> None:
    counts = np.bincount(Week.of(World(1, 300), 0).place, minlength=SHOWN)
    assert counts[0] / counts[2] == pytest.approx(2, rel=0.2)  # log2(4) / log2(2)
    assert counts[0] / counts[-1] == pytest.approx(np.log2(21), rel=0.3)
    assert counts.min() > 0


def test_measures_by_hand() -> None:
    history = listens(*[(0, 0, hour, True) for hour in range(6)], (1, 1, 1, True), (1, 2, 1, True), (1, 3, 1, False))
    skips = np.array([[0.5, 0.1, 0.2, 0.3, 0.4], [0.1, 0.5, 0.5, 0.2, 0.5], [0.9, 0.9, 0.9, 0.9, 0.9]])
    shelf = np.array([[1, 2], [0, 3], [4, 4]])
    here = np.array([True, True, False])
    values = Yardstick.of(history, skips).measure(shelf, here, history)
    measured = dict(zip(MEASURES, values.tolist(), strict=True))
    assert measured[COVERAGE] == 4 / 5  # the fifth is shown to the third listener only, who is not here
    assert measured[HEAD] == 1 / 4
    assert measured[BIAS] == 1 / 4 - 6 / 8
    assert measured[LIFT] == pytest.approx((8 / 4) / ((36 + 1 + 1) / 8) - 1)
    assert measured[QUALITY] == pytest.approx(1 - (0.1 + 0.2 + 0.1 + 0.2) / 4)
    assert measured[BEST] == pytest.approx(1 - (0.1 + 0.2 + 0.1 + 0.2) / 4)


def test_the_arms_explore_as_many_slots_as_they_say() -> None:
    world = World(3, USERS)
    window = Heard.concat([Week.of(world, week).alone for week in range(-WINDOW, 0)])
    plain, *others = (retrained(world, window, ARMS[arm], 0) for arm in ("no exploration", "as served", "explore mode"))
    taste = np.flatnonzero(np.bincount(window.listener[window.played], minlength=USERS))
    new = [max(len(set(other[who]) - set(plain[who])) for who in taste) for other in others]
    assert new == [2, 6]


def test_no_slot_explores_where_none_shall() -> None:
    few = [song(f"s{j:02d}", f"a{j}", "pop", j / 60, 1 - j / 60) for j in range(60)]
    rows = {f"u{i}": [0.5 if (i + j) % 7 == 0 else 0.0 for j in range(60)] for i in range(12)}
    block = block_of(crowd_of(heard_by(rows, tuple(one.item_id for one in few)), Catalogue.of(few)))
    shelf = for_you(block, np.zeros(12, bool), explored=0)
    assert not next(clause.there for clause in shelf.clauses if clause.kind == EXPLORE).any()
    assert shelf.items.tolist() == unexplored(block).tolist()


def test_exploration_covers_more_and_costs_quality_in_the_first_week(found: dict[str, Floats]) -> None:
    for measure, sign in ((COVERAGE, 1), (QUALITY, -1)):
        none, some, much = (sign * of(found, arm, measure)[:, 0] for arm in ("no exploration", "as served", "explore mode"))
        assert (none < some).all()
        assert (some < much).all()


def test_popularity_covers_least_and_shows_hits_most_at_first(found: dict[str, Floats]) -> None:
    for arm in ("no exploration", "as served", "explore mode", "organic", "no discount"):
        assert (of(found, "popularity", COVERAGE) < of(found, arm, COVERAGE)).all()
        assert (of(found, "popularity", BIAS)[:, 0] > of(found, arm, BIAS)[:, 0]).all()


def test_the_arms_begin_in_the_same_world_and_nothing_served_is_better_than_the_best(found: dict[str, Floats]) -> None:
    assert len({tuple(of(found, arm, BEST)[:, 0]) for arm in ARMS}) == 1
    assert all((of(found, arm, QUALITY) < of(found, arm, BEST)).all() for arm in ARMS)
    assert len({tuple(of(found, arm, BEST)[:, 2]) for arm in ARMS}) == len(ARMS)  # what was served has changed it


def test_a_seed_gives_the_same_numbers_whatever_ran_before_and_the_same_picture(found: dict[str, Floats]) -> None:
    again = experiment((2,), USERS, WEEKS)
    assert {arm: values[0].tolist() for arm, values in again.items()} == {arm: each[1].tolist() for arm, each in found.items()}
    assert not np.array_equal(found["as served"][0], found["as served"][1])
    assert picture(found) == picture(found) != picture(again)


def test_what_is_not_followed_teaches_nothing() -> None:
    world = World(1, USERS)
    drawn = [Week.of(world, week) for week in range(-WINDOW, 3)]
    covered = [run(world, drawn, ARMS["popularity"], share)[:, MEASURES.index(COVERAGE)] for share in (0.0, 0.9)]
    assert covered[0][0] == covered[1][0]
    assert covered[1][2] > covered[0][2]  # what was played leaves the shelf, and others take its place


def test_an_organic_arm_does_not_learn_from_its_shelf() -> None:
    world = World(1, USERS)
    drawn = [Week.of(world, week) for week in range(-WINDOW, 3)]
    place = MEASURES.index(QUALITY)
    plain, organic = (run(world, drawn, ARMS[arm], 1.0)[:, place] for arm in ("as served", "organic"))
    assert plain[0] == organic[0]
    assert plain[2] < organic[2]  # of the loop all is learnt from the shelf; organic still has weeks without one
