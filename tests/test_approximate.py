"""Neighbours by the index: against an exact search, with equal vectors, without any, and the same each time."""

from __future__ import annotations

import numpy as np
import pytest
import voyager
from scipy.sparse import csr_array

import batch.recommending.approximate as approximate
from batch.engagement import Engagement
from batch.neighbours import neighbours
from batch.recommending.approximate import listener_vectors, nearest, nearest_vectors
from contract.versions import ItemVectors
from lab.bench.neighbours import measure, synthetic
from tests.crowds import heard


def vectors(n: int, rank: int = 8, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(0, 1, (n, rank))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def exact(unit: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    return neighbours(csr_array(unit.astype(np.float64)), k)


def test_few_listeners_are_compared_all_with_all() -> None:
    unit = vectors(300)
    near, cosine = nearest_vectors(unit, 5, seed=0)
    wanted, values = exact(unit, 5)
    assert near.tolist() == wanted.tolist()
    assert cosine == pytest.approx(values, abs=1e-6)


def test_the_index_finds_nearly_all_of_them_and_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "SMALL", 0)
    unit = vectors(3_000)
    near, cosine = nearest_vectors(unit, 10, seed=3)
    wanted, _ = exact(unit, 10)
    assert (near[:, :, None] == wanted[:, None, :]).any(axis=1).mean() > 0.98
    assert (np.diff(cosine, axis=1) <= 0).all()
    assert not (near == np.arange(3_000)[:, None]).any()
    again = nearest_vectors(unit, 10, seed=3)
    assert (near == again[0]).all()
    assert (cosine == again[1]).all()


def test_equal_vectors_are_the_nearest_and_do_not_crowd_out_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "SMALL", 0)
    unit = np.repeat(vectors(500), 6, axis=0)  # each vector six times
    unit = np.vstack([unit, np.repeat(vectors(1, seed=9), 2_000, axis=0)])  # and one of them two thousand times
    near, cosine = nearest_vectors(unit, 10, seed=0)
    assert near[0, :5].tolist() == [1, 2, 3, 4, 5]
    assert cosine[0, :5] == pytest.approx(np.ones(5))
    assert (near[0, 5:] >= 6).all(), "then those of the next vector"
    assert near[-1].tolist() == list(range(3_000, 3_010))
    assert near[3_000].tolist() == list(range(3_001, 3_011))
    wanted = exact(unit[:3_000], 10)[1]
    assert (cosine[:3_000] >= wanted - 1e-6).mean() > 0.99


def test_a_part_of_the_graph_that_is_too_small_is_searched_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "SMALL", 0)
    monkeypatch.setattr(approximate.voyager, "Index", lambda *_, **__: _Failing())
    unit = vectors(100)
    assert nearest_vectors(unit, 4, seed=0)[0].tolist() == exact(unit, 4)[0].tolist()


class _Failing:
    def add_items(self, *_: object, **__: object) -> None: ...

    def query(self, *_: object, **__: object) -> None:
        raise voyager.RecallError("Fewer than expected results were retrieved")


def test_who_has_no_vector_has_no_neighbours_and_is_nobodys() -> None:
    unit = vectors(20)
    unit[[3, 7]] = 0
    near, cosine = nearest_vectors(unit, 5, seed=0)
    assert (near[[3, 7]] == -1).all()
    assert (cosine[[3, 7]] == 0).all()
    assert not np.isin(near, [3, 7]).any()
    assert (nearest_vectors(unit[[3, 7]], 5, seed=0)[0] == -1).all()
    assert nearest_vectors(unit[:0], 5, seed=0)[0].shape == (0, 5)


def test_two_listeners_have_one_neighbour_each() -> None:
    near, cosine = nearest_vectors(np.array([[1, 0], [0.6, 0.8]], np.float32), 3, seed=0)
    assert near.tolist() == [[1, -1, -1], [0, -1, -1]]
    assert cosine[0, 0] == pytest.approx(0.6)


def test_a_listeners_vector_is_the_sum_of_engagement_times_item_vector() -> None:
    crowd = heard({"ann": [0.9, 0.5, 0.1], "bob": [0.0, 0.0, 0.9]}, ("x", "y", "gone"))
    found = listener_vectors(crowd, ItemVectors(("y", "x"), np.array([[0.0, 1.0], [1.0, 0.0]])), seed=0)
    assert found[0] == pytest.approx(np.array([0.9, 0.5]) / np.hypot(0.9, 0.5))
    assert found[1].tolist() == [0, 0], "what bob heard has no vector"


def test_without_item_vectors_listeners_of_one_taste_lie_together() -> None:
    group = synthetic(400, seed=1)
    unit = listener_vectors(group, ItemVectors.none(), seed=0)
    assert unit.shape == (400, 32)
    near = nearest_vectors(unit, 1, seed=0)[0][:, 0]
    rows = group.matrix.toarray()
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    alike, usual = (rows * rows[near]).sum(axis=1).mean(), (rows @ rows.T).mean()
    assert alike > 3 * usual


def test_the_way_changes_at_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    group = synthetic(200, seed=1)
    assert (nearest(group, ItemVectors.none(), 5, 0)[0] == neighbours(group.matrix, 5)[0]).all()
    monkeypatch.setattr(approximate, "APPROXIMATE_FROM", 200)
    by_vector = nearest_vectors(listener_vectors(group, ItemVectors.none(), 0), 5, 0)[0]
    assert (nearest(group, ItemVectors.none(), 5, 0)[0] == by_vector).all()


@pytest.mark.parametrize("width", [0, 1])
def test_almost_no_items(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "APPROXIMATE_FROM", 0)
    group = Engagement(("a", "b"), ("x",)[:width], csr_array(np.full((2, width), 0.9)))
    wanted = [[1, -1, -1], [0, -1, -1]] if width else [[-1] * 3] * 2
    assert nearest(group, ItemVectors.none(), 3, 0)[0].tolist() == wanted


def test_the_measurement() -> None:
    found = measure(3_000, seed=2)
    assert found.recall > 0.95
    assert 0 < found.recall_engagement < 1
    assert found.seconds > 0
