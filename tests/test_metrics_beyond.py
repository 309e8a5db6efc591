"""Coverage, novelty, diversity, inequality and popularity bias: by hand, and what must hold of any lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.metrics.beyond import (
    coverage,
    diversity,
    exposure,
    gini,
    novelty,
    popularity_bias,
    popularity_lift,
    shares,
    tiers,
)

LISTS = np.array([[0, 1], [0, 2], [0, 1]])
AMOUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=30)


def test_coverage_is_the_share_that_anybody_is_shown() -> None:
    assert coverage(LISTS, 4) == 0.75
    assert exposure(LISTS, 4).tolist() == [3, 2, 1, 0]


def test_novelty_is_counted_in_bits() -> None:
    known = np.array([1.0, 0.25, 0.0, 0.5])
    # item 0 tells nothing, item 1 two bits; item 2, which nobody knows, as much as what one of eight knows: three
    assert novelty(LISTS, known, 8) == pytest.approx([1.0, 1.5, 1.0])


def test_diversity_is_one_less_the_mean_similarity_of_the_pairs() -> None:
    similarity = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.5], [0.0, 0.5, 1.0]])
    assert diversity(np.array([[0, 1, 2], [2, 1, 0]]), similarity) == pytest.approx([0.5, 0.5])
    assert diversity(np.array([[0, 1], [0, 2]]), similarity) == pytest.approx([0.0, 1.0])
    assert np.isnan(diversity(np.array([[0]]), similarity)).all()


def test_gini_by_hand() -> None:
    assert gini(np.array([1, 1, 1])) == pytest.approx(0.0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(3 / 4)
    assert gini(np.array([1, 3])) == pytest.approx(1 / 4)  # |1 - 3| twice, over 2 * 4 pairs * the mean of 2
    assert gini(np.array([0, 0])) == 0.0


@given(AMOUNTS)
def test_gini_is_half_the_relative_mean_difference(amounts: list[int]) -> None:
    x = np.array(amounts, float)
    differences = np.abs(x[:, None] - x).mean()
    assert gini(x) == pytest.approx(differences / (2 * x.mean()) if x.any() else 0.0)


def test_tiers_by_hand() -> None:
    # of 100 plays the first 30 cross the edge of the head, the third artist ends at 80, the tail begins behind
    assert tiers(np.array([10, 30, 5, 25, 25, 5])).tolist() == [2, 0, 2, 1, 1, 2]
    assert tiers(np.array([0.05, 0.15, 0.8])).tolist() == [2, 2, 0], "shares are amounts too"
    assert tiers(np.array([0, 7, 0])).tolist() == [2, 0, 2]
    assert tiers(np.array([0, 0])).tolist() == [2, 2]


@given(AMOUNTS)
def test_nobody_stands_in_a_higher_tier_with_fewer_plays(amounts: list[int]) -> None:
    found = tiers(np.array(amounts))
    by_plays = np.argsort(-np.array(amounts), kind="stable")
    assert (np.diff(found[by_plays]) >= 0).all()
    assert any(amounts) == (0 in found.tolist())


def test_popularity_bias_is_places_less_listening() -> None:
    plays, tier = np.array([6, 3, 1, 0]), np.array([0, 1, 1, 2])
    # six places: three of item 0, two of item 1, one of item 2
    assert popularity_bias(LISTS, plays, tier) == pytest.approx([0.5 - 0.6, 0.5 - 0.4, 0.0])


@given(AMOUNTS, st.integers(0, 2**32 - 1))
def test_biases_add_up_to_nothing(amounts: list[int], seed: int) -> None:
    plays = np.array([*amounts, 1])
    ranked = np.random.default_rng(seed).integers(0, len(plays), (5, 3))
    assert popularity_bias(ranked, plays, tiers(plays)).sum() == pytest.approx(0.0, abs=1e-12)


def test_shares_of_nothing_are_nothing() -> None:
    assert shares(np.array([0, 0]), np.array([0, 1]), 2).tolist() == [0.0, 0.0]


def test_popularity_lift_by_country() -> None:
    shown, heard, country = np.array([0.6, 0.6, 0.2]), np.array([0.2, 0.4, 0.4]), np.array([0, 0, 2])
    lift = popularity_lift(shown, heard, country, 3)
    assert lift[[0, 2]] == pytest.approx([1.0, -0.5])
    assert np.isnan(lift[1])
