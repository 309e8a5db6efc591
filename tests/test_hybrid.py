"""Scores by hand: neighbours with and without discount, sound, quality; diversity step by step."""

from __future__ import annotations

import numpy as np
import pytest

from batch.recommending.diversity import alike, diverse, relevances
from batch.recommending.hybrid import content, discounted, quality, standardised
from batch.recommending.pool import Pool
from contract.catalogue import Catalogue, Item
from tests.crowds import block_of, crowd_of, heard, song

CATALOGUE = Catalogue.of(
    [
        song("axe", "A", "rock", energy=1.0, valence=0.0),
        song("bat", "A", "rock", energy=1.0, valence=0.0),
        song("cat", "C", "pop", energy=0.0, valence=1.0),
        song("dog", "D", None, energy=0.0, valence=1.0),
        Item("eel", "Eel", show="E", show_genre="talk"),
    ]
)
ITEMS = ("axe", "bat", "cat", "dog", "eel", "gone")
ROWS = {
    "ann": [0.9, 0.0, 0.0, 0.0, 0.0, 0.5],
    "bob": [0.9, 0.5, 0.9, 0.0, 0.0, 0.5],
    "cy": [0.0, 0.0, 0.9, 0.0, 0.1, 0.0],
}


def test_the_pool_is_what_the_catalogue_knows() -> None:
    pool = Pool.of(CATALOGUE)
    assert pool.items == ("axe", "bat", "cat", "dog", "eel")
    assert pool.genre.tolist() == [1, 1, 0, -1, 2]
    assert [pool.artists[code] for code in pool.artist] == ["A", "A", "C", "D", "E"]
    assert pool.engaged(heard(ROWS, ITEMS)).toarray()[1].tolist() == [0.9, 0.5, 0.9, 0, 0], "what is gone is not in it"
    assert not pool.sound[4].any(), "an episode has no sound"
    assert pool.sound[0] @ pool.sound[2] == pytest.approx(-1), "standardised, the two sounds are opposites"


def test_neighbours_and_the_discount() -> None:
    crowd = crowd_of(heard(ROWS, ITEMS), CATALOGUE)
    block = block_of(crowd)
    assert block.similar[0].tolist() == pytest.approx([0.9, 0.5, 0.9, 0, 0]), "bob is ann's only neighbour"
    # everybody's engagement: axe 1.8, bat 0.5, cat 1.8, dog 0, eel 0.1, on average 0.84
    assert discounted(crowd, block.similar)[0, 1:3] == pytest.approx([0.5 / (0.5 + 0.3 * 0.84), 0.9 / (1.8 + 0.3 * 0.84)])
    assert block.neighbours[0][0].tolist() == [1, 1, 1, 0, 0]
    assert block.neighbours[1][0, 1] == pytest.approx(0.5)


def test_what_sounds_like_what_is_liked() -> None:
    crowd = crowd_of(heard(ROWS, ITEMS), CATALOGUE)
    scores = content(crowd, block_of(crowd).liked)
    assert scores[0, :4].tolist() == pytest.approx([1, 1, -1, -1]), "ann likes axe"
    assert np.isnan(scores[:, 4]).all()
    liked = crowd.engaged.toarray()[1]  # bob: 1.4 of the one sound, 0.9 of the other
    assert scores[1, :2] == pytest.approx([1, 1])
    assert liked[0] + liked[1] > liked[2]


def test_quality_is_a_mean_drawn_to_that_of_all() -> None:
    crowd = crowd_of(heard(ROWS, ITEMS), CATALOGUE)
    mean = (0.9 + 0.9 + 0.5 + 0.9 + 0.9 + 0.1) / 6
    assert quality(crowd)[0] == pytest.approx((1.8 + 20 * mean) / 22)
    assert quality(crowd)[3] == pytest.approx(mean), "nobody has heard it"
    assert quality(crowd)[4] < mean, "it was skipped"


def test_standard_scores_look_at_what_is_open() -> None:
    open_to = np.array([[True, True, True, False]])
    found = standardised(np.array([[1.0, 3.0, np.nan, 100.0]]), open_to)
    assert found[0, :3].tolist() == [-1, 1, 0], "the mean of 1 and 3 is 2, one deviation apart; no score is the mean"
    assert standardised(np.full((1, 4), 7.0), open_to).tolist() == [[0, 0, 0, 0]], "equals tell nothing"


def test_who_likes_it_is_not_offered_it_again_and_who_skipped_it_is() -> None:
    block = block_of(crowd_of(heard(ROWS, ITEMS), CATALOGUE))
    assert np.isfinite(block.scores).tolist() == [
        [False, True, True, True, True],
        [False, False, False, True, True],
        [True, True, False, True, True],
    ]


def test_likeness_is_a_third_each() -> None:
    pool = Pool.of(CATALOGUE)
    assert alike(pool, np.array([0, 0, 2]), np.array([1, 2, 3])) == pytest.approx([1, 0, 1 / 3])


def test_diversity_by_hand() -> None:
    pool = Pool.of(CATALOGUE)
    candidates, scores = np.array([[0, 1, 2, -1]]), np.array([[2.0, 1.9, 1.0, 0.0]])
    assert relevances(scores, candidates >= 0)[0, :3] == pytest.approx([1, 0.9, 0])
    # first axe: 0.8. Then bat: 0.8 * 0.9 - 0.2 * 1 = 0.52 against cat: 0
    assert diverse(pool, candidates, scores, 4).tolist() == [[0, 1, 2, -1]]
    # with bat at 1.2: 0.8 * 0.2 - 0.2 = -0.04 against cat: 0
    assert diverse(pool, candidates, np.array([[2.0, 1.2, 1.0, 0.0]]), 4).tolist() == [[0, 2, 1, -1]]


def test_equal_candidates_stay_in_their_order() -> None:
    pool = Pool.of(Catalogue.of([Item(name, name) for name in "abcd"]))
    assert diverse(pool, np.array([[2, 0, 3]]), np.ones((1, 3)), 3).tolist() == [[0, 1, 2]]
