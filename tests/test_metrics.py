"""Ranking metrics and predictions: by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    ndcg_score,
    precision_score,
    recall_score,
    root_mean_squared_error,
)

from batch.metrics.prediction import reliability, rmse
from batch.metrics.ranking import average_precision, ndcg, order, precision, recall, reciprocal_rank
from contract.features import TOP
from contract.rows import Floats

NOBODY = np.zeros((1, 3))
FEW = settings(max_examples=15, deadline=None)
"""scikit-learn takes its time over one listener after the other."""
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, *, binary: bool = True) -> tuple[Floats, Floats]:
    """The relevance of 20 listeners, each with something relevant, and distinct scores."""
    rng = np.random.default_rng(seed)
    n, m = 20, int(rng.integers(2, 30))
    relevance = (rng.random((n, m)) < 0.3).astype(float) if binary else rng.random((n, m))
    relevance[np.arange(n), rng.integers(0, m, n)] = 1.0
    return relevance, rng.permuted(np.tile(np.arange(m, dtype=float), (n, 1)), axis=1)


def test_by_hand() -> None:
    relevance = np.array([[1.0, 0.0, 1.0, 0.0, 1.0]])
    ranked = np.array([[1, 0, 3, 2, 4]])  # the hits stand in places 2, 4 and 5
    assert precision(relevance, ranked, k=4) == pytest.approx([2 / 4])
    assert recall(relevance, ranked, k=4) == pytest.approx([2 / 3])
    assert average_precision(relevance, ranked, k=4) == pytest.approx([(1 / 2 + 2 / 4) / 3])
    assert average_precision(relevance, ranked, k=2) == pytest.approx([(1 / 2) / 2]), "two places can hold two hits at best"
    assert reciprocal_rank(relevance, ranked) == pytest.approx([1 / 2])


def test_ndcg_by_hand() -> None:
    relevance = np.array([[3.0, 2.0, 0.0]])
    best, swapped, worst = np.array([[0, 1, 2]]), np.array([[1, 0, 2]]), np.array([[2, 1, 0]])
    second = 1 / np.log2(3)
    ideal = 3 + 2 * second
    assert ndcg(relevance, best) == pytest.approx([1.0])
    assert ndcg(relevance, swapped) == pytest.approx([(2 + 3 * second) / ideal])
    assert ndcg(relevance, worst) == pytest.approx([(2 * second + 3 * 0.5) / ideal])


def test_the_first_k_places_alone_count() -> None:
    relevance, ranked = np.array([[1.0, 0.0, 1.0]]), np.array([[1, 0, 2]])
    for metric in (ndcg, precision, recall, average_precision):
        assert metric(relevance, ranked, k=1) == pytest.approx([0.0])


def test_a_list_too_short_is_held_against_all_k_places() -> None:
    relevance, ranked = np.array([[1.0, 1.0]]), np.array([[0]])
    assert ndcg(relevance, ranked) == pytest.approx([1 / (1 + 1 / np.log2(3))])
    assert precision(relevance, ranked) == pytest.approx([1 / 10])
    assert recall(relevance, ranked) == pytest.approx([1 / 2])
    assert average_precision(relevance, ranked) == pytest.approx([1 / 2])


def test_where_nothing_is_relevant_nobody_knows_how_good_it_was() -> None:
    ranked = np.array([[0, 1, 2]])
    for metric in (ndcg, recall, average_precision, reciprocal_rank):
        assert np.isnan(metric(NOBODY, ranked)).all()
    assert precision(NOBODY, ranked) == pytest.approx([0.0])


def test_a_list_without_a_hit_is_worth_nothing() -> None:
    relevance, ranked = np.array([[0.0, 0.0, 1.0]]), np.array([[0, 1]])
    for metric in (ndcg, recall, average_precision, reciprocal_rank, precision):
        assert metric(relevance, ranked) == pytest.approx([0.0])


def test_ties_go_to_the_lower_code() -> None:
    assert order(np.array([[0.1, 0.5, 0.5, 0.1]])).tolist() == [[1, 2, 0, 3]]


@FEW
@given(SEEDS)
def test_ndcg_is_scikit_learns(seed: int) -> None:
    relevance, scores = drawn(seed, binary=False)
    assert ndcg(relevance, order(scores)).mean() == pytest.approx(ndcg_score(relevance, scores, k=TOP))


@FEW
@given(SEEDS)
def test_average_precision_over_the_whole_list_is_scikit_learns(seed: int) -> None:
    relevance, scores = drawn(seed)
    theirs = [average_precision_score(one, score) for one, score in zip(relevance, scores, strict=True)]
    assert average_precision(relevance, order(scores), k=relevance.shape[1]) == pytest.approx(theirs)


@FEW
@given(SEEDS)
def test_with_one_relevant_item_each_mrr_is_the_label_ranking_average_precision(seed: int) -> None:
    relevance, scores = drawn(seed)
    one = np.zeros_like(relevance)
    one[np.arange(len(one)), relevance.argmax(axis=1)] = 1.0
    assert reciprocal_rank(one, order(scores)).mean() == pytest.approx(label_ranking_average_precision_score(one, scores))


@FEW
@given(SEEDS, st.integers(1, 2))
def test_precision_and_recall_are_scikit_learns_where_the_first_k_are_the_predicted_ones(seed: int, k: int) -> None:
    relevance, scores = drawn(seed)
    ranked = order(scores)
    predicted = np.zeros_like(relevance)
    np.put_along_axis(predicted, ranked[:, :k], 1.0, axis=1)
    for ours, theirs in ((precision, precision_score), (recall, recall_score)):
        expected = [theirs(one, guess) for one, guess in zip(relevance, predicted, strict=True)]
        assert ours(relevance, ranked, k=k) == pytest.approx(expected)


@FEW
@given(SEEDS)
def test_no_metric_sees_the_names_of_items(seed: int) -> None:
    relevance, scores = drawn(seed)
    turned = np.random.default_rng(seed).permutation(relevance.shape[1])
    for metric in (ndcg, precision, recall, average_precision, reciprocal_rank):
        np.testing.assert_allclose(metric(relevance[:, turned], order(scores[:, turned])), metric(relevance, order(scores)))


def test_rmse_leaves_out_what_is_not_known() -> None:
    actual = np.array([[0.5, np.nan], [0.9, 0.1]])
    predicted = np.array([[0.5, 0.7], [0.5, 0.4]])
    assert rmse(predicted, actual) == pytest.approx(np.sqrt((0 + 0.16 + 0.09) / 3))
    assert np.isnan(rmse(predicted, np.full((2, 2), np.nan)))


@FEW
@given(SEEDS)
def test_rmse_is_scikit_learns(seed: int) -> None:
    predicted, actual = np.random.default_rng(seed).normal(size=(2, 40))
    assert rmse(predicted, actual) == pytest.approx(root_mean_squared_error(actual, predicted))


def test_calibration_by_hand() -> None:
    bins = reliability(np.array([0.9, 0.1, 0.2, 0.8, 0.3]), np.array([1, 0, 1, 1, 0]), bins=2)
    assert bins.count.tolist() == [3, 2]
    assert bins.predicted == pytest.approx([0.2, 0.85])
    assert bins.happened == pytest.approx([1 / 3, 1.0])
    assert bins.error == pytest.approx((3 * (1 / 3 - 0.2) + 2 * 0.15) / 5)


def test_there_are_no_more_bins_than_predictions() -> None:
    assert reliability(np.array([0.5]), np.array([1])).error == pytest.approx(0.5)


@FEW
@given(SEEDS)
def test_calibration_is_scikit_learns_where_bins_come_out_even(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted = rng.permutation(np.linspace(0.001, 0.999, 100)) ** 2
    happened = np.concatenate([[0, 1], rng.integers(0, 2, 98)])
    ours = reliability(predicted, happened)
    theirs = calibration_curve(happened, predicted, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([ours.happened, ours.predicted], theirs)
