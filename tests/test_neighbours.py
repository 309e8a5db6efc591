"""Neighbours, recommendations and taste clusters, against plain loops and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from batch.clusters import PROFILE, RATES, clusters
from batch.neighbours import best, neighbours, recommend


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norms) if norms else 0.0


@pytest.mark.parametrize("seed", range(3))
def test_against_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.choice([0, 0, 0.1, 0.5, 0.9], (700, 12))  # more rows than are compared at a time
    near, score = neighbours(csr_array(matrix), k=3)
    items, values = recommend(csr_array(matrix), near, score, heard_above=0.1, top=5)
    for i in rng.choice(700, 25, replace=False):
        similar = sorted((round(-cosine(matrix[i], matrix[j]), 12), j) for j in range(700) if j != i)[:3]
        assert [round(-s, 12) for s in score[i]] == [s for s, _ in similar]
        weights = score[i] / score[i].sum()
        wanted = [(-round(float(weights @ matrix[near[i], j]), 12), j) for j in range(12) if matrix[i, j] <= 0.1]
        best = [(-s, j) for s, j in sorted(wanted)[:5] if s < 0]
        assert list(zip(values[i].round(12), items[i], strict=True))[: len(best)] == best
        assert (items[i][len(best) :] == -1).all()


def test_by_hand() -> None:
    #        a    b    c    d
    heard = [
        [0.9, 0.5, 0.0, 0.1],  # cosine with the second: 0.81 / (sqrt(1.07) * 0.9)
        [0.9, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.9, 0.0],  # nobody is like the third
        [0.0, 0.0, 0.0, 0.0],
    ]
    near, score = neighbours(csr_array(np.array(heard)), k=2)
    assert near.tolist() == [[1, -1], [0, -1], [-1, -1], [-1, -1]]
    assert score[0, 0] == score[1, 0] == pytest.approx(0.81 / (np.sqrt(1.07) * 0.9))
    items, values = recommend(csr_array(np.array(heard)), near, score, heard_above=0.1, top=3)
    assert items.tolist() == [[-1, -1, -1], [1, 3, -1], [-1, -1, -1], [-1, -1, -1]], "a is known; of b and d, b is liked better"
    assert values[1].tolist() == pytest.approx([0.5, 0.1, 0])


def test_an_item_that_was_only_skipped_may_be_recommended() -> None:
    heard = csr_array(np.array([[0.9, 0.1], [0.9, 0.9]]))
    near, score = neighbours(heard, k=1)
    assert recommend(heard, near, score, heard_above=0.1, top=2)[0][0].tolist() == [1, -1]


@given(st.lists(st.lists(st.integers(-1, 3), min_size=4, max_size=4), max_size=4), st.integers(0, 6))
def test_the_best_are_the_largest_and_ties_go_to_the_lower_column(rows: list[list[int]], k: int) -> None:
    index, found = best(np.array(rows, np.float64).reshape(len(rows), 4), k)
    for i, row in enumerate(rows):
        wanted = sorted((-value, j) for j, value in enumerate(row) if value > 0)[:k]
        assert index[i].tolist() == [j for _, j in wanted] + [-1] * (k - len(wanted))
        assert found[i].tolist() == [-value for value, _ in wanted] + [0] * (k - len(wanted))


def profiles(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.random(n) for name in PROFILE}


def test_clusters_have_different_names_that_say_what_stands_out() -> None:
    loud = np.arange(200) < 40
    named = clusters({**profiles(200), "skip_rate_28d": np.where(loud, 5.0, 0.1)}, PROFILE, seed=0)
    assert len(set(named)) == 5
    assert {named[i] for i in range(40)} == {"skippers"}


def test_clusters_are_seeded() -> None:
    assert clusters(profiles(60), PROFILE, 3) == clusters(profiles(60), PROFILE, 3)


@pytest.mark.parametrize(("listeners", "count"), [(5, 1), (6, 2), (9, 3), (30, 5)])
def test_few_listeners_make_few_clusters(listeners: int, count: int) -> None:
    assert len(set(clusters(profiles(listeners), PROFILE, 3))) == count


def test_listeners_who_are_all_alike_are_everybody() -> None:
    assert clusters({"skip_rate": np.full(20, 0.4), "replay_rate": np.full(20, 0.2)}, RATES, 0) == ["everybody"] * 20


def test_where_true_names_run_out_a_number_tells_clusters_apart() -> None:
    rates = {"skip_rate": np.repeat([0.1, 0.4, 0.5, 0.6, 0.9], 4), "replay_rate": np.repeat([0.5, 0.5, 0.5, 0.5, 0.5], 4)}
    assert len(set(clusters(rates, RATES, 0))) == 4


def test_nulls_do_not_stand_out() -> None:
    assert len(clusters({**profiles(60), "podcast_share_28d": np.full(60, np.nan)}, PROFILE, 0)) == 60
