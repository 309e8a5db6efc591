"""A recommendation's reasons as sentences, and the file of shelves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from batch.recommending.shelf import Clause, Shelf, table
from contract import recommendation as kinds
from contract.catalogue import Catalogue, Item
from contract.recommendation import FILE, Reason, Recommended, read_shelves, sentence

CATALOGUE = Catalogue.of([Item("s12", "Song 12", artist="Ada"), Item("e1", "Episode 1", show="Talks")])


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ([], ""),
        ([Reason(kinds.NEIGHBOURS, value=0.8)], "Listeners with your taste play it again and again."),
        (
            [Reason(kinds.NEIGHBOURS, value=0.5), Reason(kinds.SOUNDS_LIKE, "s12", 0.95)],
            "Listeners with your taste enjoy it, and it sounds much like Song 12 by Ada, which you enjoy.",
        ),
        (
            [Reason(kinds.RELEASED, value=3.0), Reason(kinds.ARTIST, "Ada", 0.9), Reason(kinds.GENRE, "folk", 0.7)],
            "It came out 3 days ago, you like Ada, and it is folk, which you like.",
        ),
        ([Reason(kinds.RELEASED, value=0.0)], "It came out today."),
        ([Reason(kinds.POPULAR, "SE", 0.25)], "It is popular: 25 % of the listeners in SE play it."),
        ([Reason(kinds.POPULAR, value=0.001)], "It is popular: some of all listeners play it."),
        ([Reason(kinds.PART, "night", 2.0)], "People play it at night twice as often as at other times."),
        ([Reason(kinds.DEVICE, "car", 1.34)], "People play it in the car 1.3 times as often as elsewhere."),
        ([Reason(kinds.SOUNDS_LIKE, "gone", 0.7)], "It sounds like gone, which you enjoy."),
    ],
)
def test_sentences(reasons: list[Reason], told: str) -> None:
    assert sentence(reasons, CATALOGUE) == told


def test_every_kind_can_be_said() -> None:
    names = [value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)]
    said = [kind for kind in names if kind in kinds._CLAUSES]
    assert set(said) == set(kinds._CLAUSES)
    assert len(said) == 14
    for kind in said:
        told = sentence([Reason(kind, "s12", 1.0)], CATALOGUE)
        assert told[0].isupper()
        assert told.endswith(".")
        assert "  " not in told


def shelves_of_two(place: Path) -> None:
    """Ann has two shelves, bob one; the second place of ann's first is a gap."""
    names = np.array(["a", "b", "c"], object)
    first = Shelf(
        "for-you",
        np.array([[0, -1, 2], [-1, -1, -1]]),
        np.array([[3.0, 9.0, 1.5], [0.0, 0.0, 0.0]]),
        (
            Clause(kinds.GENRE, np.array([[True, True, False]] * 2), "folk", 0.5),
            Clause(kinds.ARTIST, np.ones((2, 3), bool), np.array([["x", "y", "z"]] * 2, object), np.full((2, 3), 0.123)),
            Clause(kinds.UNHEARD, np.ones((2, 3), bool)),
        ),
    )
    second = Shelf("discover-weekly", np.array([[1], [1]]), np.array([[2.0], [1.0]]))
    pq.write_table(table([first, second], ["ann", "bob"], names), place / FILE)


def test_shelves_are_read_as_they_were_written(tmp_path: Path) -> None:
    shelves_of_two(tmp_path)
    found = read_shelves(tmp_path, "ann")
    assert list(found) == ["for-you", "discover-weekly"]
    assert [(one.item, one.score) for one in found["for-you"]] == [("a", 3.0), ("c", 1.5)]
    first, last = (one.reasons for one in found["for-you"])
    assert [(why.kind, why.about, round(why.value, 3)) for why in first] == [("genre", "folk", 0.5), ("artist", "x", 0.12)]
    assert [why.kind for why in last] == ["artist", "unheard"], "two at most, the first that hold"
    assert read_shelves(tmp_path, "bob") == {"discover-weekly": (Recommended("b", 1.0),)}


def test_rows_are_sorted_by_listener(tmp_path: Path) -> None:
    shelves_of_two(tmp_path)
    assert pq.read_table(tmp_path / FILE).column("user_id").to_pylist() == ["ann", "ann", "bob"]


def test_who_is_unknown_has_no_shelves(tmp_path: Path) -> None:
    assert read_shelves(tmp_path, "ann") == {}, "the version holds no such file"
    shelves_of_two(tmp_path)
    assert read_shelves(tmp_path, "eve") == {}
