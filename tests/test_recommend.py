"""Cold starts: who has heard nothing, what nobody has heard, who has skipped everything; each with an honest reason."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from batch.engagement import Engagement
from batch.recommend import Recommendation, Recommender
from contract.catalogue import Catalogue, Item
from contract.features import FeatureConstants

ITEMS = ("abba", "bach", "cure")
CATALOGUE = Catalogue.of(
    [
        Item("abba", "Abba", artist="A", genre="pop"),
        Item("bach", "Bach", artist="B", genre="baroque"),
        Item("cure", "Cure", artist="C", genre="rock"),
        Item("dowland", "Dowland", artist="D", genre="baroque"),
        Item("eno", "Eno", artist="E", genre="ambient"),
        Item("arrival", "Arrival", artist="A"),
    ]
)


def recommended(
    rows: dict[str, list[float]], country: dict[str, str] | None = None, top: int = 5
) -> dict[str, list[Recommendation]]:
    heard = Engagement(tuple(rows), ITEMS, csr_array(np.array(list(rows.values()))), country or {})
    return dict(zip(rows, Recommender(heard, CATALOGUE, FeatureConstants(), seed=3).all(top), strict=True))


def items(found: list[Recommendation]) -> list[str]:
    return [one.item for one in found]


def test_who_has_heard_nothing_gets_what_is_popular_in_their_country() -> None:
    rows = (
        {f"se{i}": [0.9, 0.0, 0.1] for i in range(5)} | {f"de{i}": [0.0, 0.9, 0.9] for i in range(9)} | {"new": [0.0, 0.0, 0.0]}
    )
    country = {user: user[:2].upper() for user in rows} | {"new": "SE"}
    found = recommended(rows, country)["new"]
    assert items(found) == ["abba"]  # in Sweden; cure was skipped there, everywhere it is ahead
    assert found[0].reason == "popular in SE: 5 of 6 play it"
    assert items(recommended(rows, {**country, "new": "FI"})["new"])[0] == "cure"
    assert recommended(rows)["new"][0].reason == "popular with everybody: 9 of 15 play it"


def test_what_nobody_has_heard_goes_to_those_who_like_the_artist_or_the_genre() -> None:
    found = recommended({"ann": [0.9, 0.5, 0.1], "bob": [0.9, 0.5, 0.1]})["ann"]
    assert [(one.item, one.reason) for one in found if "nobody" in one.reason] == [
        ("arrival", "nobody has heard it yet, and you like A"),
        ("dowland", "nobody has heard it yet, and you like baroque"),
    ]
    assert "eno" not in items(found), "nothing is known that speaks for it"


def test_who_has_skipped_everything_gets_something_else_by_chance() -> None:
    rows = {"ann": [0.1, 0.0, 0.1], "bob": [0.9, 0.9, 0.9], "cy": [0.5, 0.9, 0.5]}
    found = recommended(rows)["ann"]
    assert items(found)[0] == "bach", "the one that was not skipped yet"
    assert {one.reason for one in found} == {"you have skipped everything so far: something else, by chance"}
    assert recommended(rows) == recommended(rows)


def test_what_all_neighbours_skipped_is_not_praised() -> None:
    found = recommended({"ann": [0.9, 0.5, 0.1], "bob": [0.9, 0.5, 0.1]})["ann"]
    assert found[0] == Recommendation(
        "cure", pytest.approx(0.1), "bob, who listens much as you do, skipped it too: nothing better is left"
    )


def test_nothing_is_recommended_twice_or_beyond_the_number_asked_for() -> None:
    found = recommended({"ann": [0.9, 0.0, 0.1], "bob": [0.9, 0.9, 0.5]}, top=2)
    assert all(len(set(items(one))) == len(one) <= 2 for one in found.values())


def test_a_listener_alone_in_the_world_still_gets_an_answer() -> None:
    assert items(recommended({"ann": [0.9, 0.5, 0.1]})["ann"]) == ["arrival", "dowland"]
