"""How two rankings differ, and which rows can be rated."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from contract.features import ROW_SCHEMA, TOP
from lab.quality import ndcg_of_rows
from monitoring.compare import Pair
from monitoring.ranking import rankings

Ranking = tuple[list[str] | None, list[float] | None]
NONE: Ranking = (None, None)


def table(*ranked: Ranking) -> pa.Table:
    rows = [
        {"user_id": f"user-{i}", "as_of_ms": 0, "partition": 0, "cut": 0, "version": "v", "shows": shows, "scores": scores}
        for i, (shows, scores) in enumerate(ranked)
    ]
    return pa.Table.from_pylist(rows, schema=ROW_SCHEMA)


def difference(left: Ranking, right: Ranking) -> tuple[float, float, float]:
    found = rankings(Pair(table(left), table(right), table(), table()))
    return tuple(found.loc[0, ["overlap", "rbo", "score_difference"]])


def rank_biased_overlap(left: list[str], right: list[str]) -> float:
    """RBO of two rankings without ties: no score of one is near one of the other."""
    ours, theirs = ([best - 0.01 * i for i in range(len(left))] for best in (1.0, 0.5))
    return difference((left, ours), (right, theirs))[1]


def test_equal_lists_overlap_whole_and_disjoint_ones_not_at_all() -> None:
    assert rank_biased_overlap(list("abc"), list("abc")) == pytest.approx(1.0)
    assert rank_biased_overlap(list("abc"), list("xyz")) == 0.0


def test_rank_biased_overlap_weighs_the_first_places_most() -> None:
    # the depths 1, 2, 3 agree by 1, 1/2, 1 (a swap below) and by 0, 1, 1 (a swap on top); they weigh 1, 0.9, 0.81
    assert rank_biased_overlap(list("abc"), list("acb")) == pytest.approx((1 + 0.45 + 0.81) / 2.71)
    assert rank_biased_overlap(list("abc"), list("bac")) == pytest.approx((0 + 0.9 + 0.81) / 2.71)


def test_rank_biased_overlap_reads_no_further_than_ten() -> None:
    ten = list("abcdefghij")
    assert len(ten) == TOP
    assert rank_biased_overlap([*ten, "k"], [*ten, "x"]) == pytest.approx(1.0)


def test_places_changed_between_scores_closer_than_1e_9_are_a_tie() -> None:
    assert difference((["a", "b"], [0.9, 0.9]), (["b", "a"], [0.9, 0.9 - 5e-10]))[:2] == (1.0, 1.0)


def test_places_changed_between_other_scores_count() -> None:
    overlap, rbo, score = difference((["a", "b"], [0.9, 0.8]), (["b", "a"], [0.85, 0.8]))
    assert overlap == 1.0
    assert rbo == pytest.approx(0.9 / 1.9)
    assert score == pytest.approx(0.05)


def test_the_overlap_is_the_share_of_shows_in_both() -> None:
    overlap, _, _ = difference((list("abcd"), [0.9, 0.8, 0.7, 0.6]), (list("abxy"), [0.9, 0.8, 0.65, 0.5]))
    assert overlap == 0.5


def test_no_ranking_agrees_with_none_and_with_no_other() -> None:
    ranked: Ranking = (["a"], [0.5])
    assert difference(NONE, NONE)[:2] == (1.0, 1.0)
    assert difference(NONE, ranked)[:2] == (0.0, 0.0)
    assert difference(ranked, NONE)[:2] == (0.0, 0.0)


def test_each_listener_has_a_row() -> None:
    left = table((["a"], [0.5]), (["a"], [0.5]))
    right = table((["a"], [0.5]), (["x"], [0.25]))
    found = rankings(Pair(left, right, table(), table()))
    assert found["user_id"].tolist() == ["user-0", "user-1"]
    assert found["overlap"].tolist() == [1.0, 0.0]
    assert found["score_difference"].tolist() == [0.0, 0.25]


def test_without_a_pair_there_is_no_row() -> None:
    assert len(rankings(Pair(table(), table(), table(), table()))) == 0


def test_rows_are_rated_where_the_truth_knows_the_listener() -> None:
    rows = table((["b", "a"], [0.9, 0.1]), NONE, (["a", "b"], [0.9, 0.1]))
    users = np.array(["user-0", "user-1", "somebody"], object)
    rated = ndcg_of_rows(rows, users, ["a", "b"], np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    assert rated == {"user-0": pytest.approx(1.0)}


def test_rows_without_any_ranking_are_not_rated() -> None:
    assert ndcg_of_rows(table(NONE), np.array(["user-0"], object), ["a"], np.array([[1.0]])) == {}


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ((["a", "b", "c"], [0.9, 0.8, 0.7]), (["c", "b", "a"], [0.9, 0.8, 0.7]), False),  # other shows, the same scores
        ((["a", "b"], [0.9, 0.8]), (["x", "y"], [0.9, 0.8]), False),
        ((["a"], [0.9]), (["a", "b"], [0.9, 0.8]), False),
        ((["a", "b", "c"], [0.9, 0.9, 0.7]), (["b", "a", "c"], [0.9, 0.9, 0.6]), True),  # a tie, though another score moved
        ((["a", "b", "c"], [0.9, 0.8, 0.8]), (["a", "b", "d"], [0.9, 0.8, 0.8 + 5e-10]), True),  # a tie at the edge
        ((["a", "b", "c"], [0.9, 0.8, 0.8]), (["a", "b", "d"], [0.9, 0.8, 0.7]), False),
    ],
)
def test_only_ties_may_stand_in_another_order(
    left: tuple[list[str], list[float]], right: tuple[list[str], list[float]], same: bool
) -> None:
    tables = [pa.table({"user_id": ["u"], "shows": [shows], "scores": [scores]}) for shows, scores in (left, right)]
    found = rankings(Pair(*tables, tables[0][:0], tables[0][:0])).iloc[0]
    assert bool(found["overlap"] == 1.0 and found["rbo"] == 1.0) == same
