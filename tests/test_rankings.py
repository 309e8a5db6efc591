"""Rankings in the store: a sorted set a listener, written and removed with the row."""

from __future__ import annotations

import numpy as np
import pytest

from contract.keys import SHOWS, SONGS
from streaming.store import NOTHING, Meta, Rankings, Store, Write
from tests.test_stores import PARTITION, store, write

__all__ = ["store"]


def ranked(store: Store, first: int, scores: list[list[float]], users: list[str]) -> None:
    """Write a step that ranks the shows a, b and c for some listeners."""
    epoch = store.claim(PARTITION).epoch
    places = np.array([[0, 1, 2]] * len(users), np.int64)
    rankings = Rankings(users, ["show a", "show b", "show c"], places, np.array(scores))
    rows: dict[str, bytes | None] = dict.fromkeys(users, b"row")
    store.commit(PARTITION, epoch, Write(first, Meta(first + 1, 5, None, "initial"), 0, [], {}, rows, [], {SHOWS: rankings}))


def test_a_ranking_is_read_best_first_and_to_the_last_digit(store: Store) -> None:
    third = 1 / 3
    ranked(store, 0, [[0.1, third, 0.7], [0.5, 0.5, 5e-324]], ["ada", "Björk ∆"])
    assert store.ranking(PARTITION, SHOWS, "ada") == [("show c", 0.7), ("show b", third), ("show a", 0.1)]
    assert store.ranking(PARTITION, SHOWS, "Björk ∆") == [("show b", 0.5), ("show a", 0.5), ("show c", 5e-324)]
    assert store.ranking(PARTITION, SHOWS, "bob") == []


def test_the_next_ranking_leaves_nothing_of_the_one_before(store: Store) -> None:
    ranked(store, 0, [[0.1, 0.2, 0.3]], ["ada"])
    epoch = store.claim(PARTITION).epoch
    other = Rankings(["ada"], ["show z"], np.array([[0]]), np.array([[0.9]]))
    store.commit(PARTITION, epoch, Write(1, Meta(2, 5, None, "next"), 0, [], {}, {"ada": b"row"}, [], {SHOWS: other}))
    assert store.ranking(PARTITION, SHOWS, "ada") == [("show z", 0.9)]


def test_listeners_may_have_fewer_and_one_kind_is_apart_from_the_other(store: Store) -> None:
    places, scores = np.array([[2, 0], [NOTHING, NOTHING], [1, NOTHING]]), np.array([[0.9, 0.1], [0.0, 0.0], [0.5, 0.0]])
    songs = Rankings(["ada", "bob", "cid"], ["song a", "song b", "song c"], places, scores)
    shows = Rankings(["ada"], ["show a"], np.array([[0]]), np.array([[0.3]]))
    rows: dict[str, bytes | None] = dict.fromkeys(("ada", "bob", "cid"), b"row")
    epoch = store.claim(PARTITION).epoch
    store.commit(PARTITION, epoch, write(0, 1, rows=rows, rankings={SHOWS: shows, SONGS: songs}))
    found = [store.ranking(PARTITION, SONGS, user) for user in songs.users]
    assert found == [[("song c", 0.9), ("song a", 0.1)], [], [("song b", 0.5)]]
    assert store.ranking(PARTITION, SHOWS, "ada") == [("show a", 0.3)]


def test_a_row_that_is_not_ranked_leaves_no_ranking_of_the_one_before(store: Store) -> None:
    ranked(store, 0, [[0.1, 0.2, 0.3]], ["ada"])
    store.commit(PARTITION, store.claim(PARTITION).epoch, write(1, 2, rows={"ada": b"row"}))
    assert store.ranking(PARTITION, SHOWS, "ada") == []


@pytest.mark.parametrize("how", ["the row is removed", "the partition is cleared"])
def test_a_ranking_goes_with_its_row(store: Store, how: str) -> None:
    ranked(store, 0, [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]], ["ada", "bob"])
    if how == "the partition is cleared":
        store.clear(PARTITION)
    else:
        epoch = store.claim(PARTITION).epoch
        store.commit(PARTITION, epoch, Write(1, Meta(2, 5, None, "initial"), 0, [], {}, {"ada": None, "bob": None}, []))
    assert (store.ranking(PARTITION, SHOWS, "ada"), store.ranking(PARTITION, SHOWS, "bob")) == ([], [])
