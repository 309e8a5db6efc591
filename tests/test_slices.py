"""The slice search: the group that was hit is found, in one or two attributes, and chance names none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitoring.slices import CHANCE, SMALLEST, smallest_slice, wilson_low

COUNTRIES, DEVICES, KINDS = ("SE", "NO", "FI", "DK"), ("phone", "desktop", "car"), ("music only", "both")


def crowd(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    attributes = {"country": COUNTRIES, "device": DEVICES, "kind": KINDS}
    return pd.DataFrame(
        {name: rng.choice(values, n) for name, values in attributes.items()}, index=[f"user-{i}" for i in range(n)]
    )


def test_one_attribute_that_explains_all_is_named_with_its_figures() -> None:
    people = crowd(1_200)
    mine = (people["device"] == "car").to_numpy()
    found = smallest_slice(people, mine)
    assert found is not None
    assert (found.where, found.listeners, found.share, found.hit_rate) == ({"device": "car"}, mine.sum(), 1.0, 1.0)
    assert found.lift == pytest.approx(1_200 / mine.sum())
    assert 1 < found.lift_at_least < found.lift


def test_two_attributes_are_named_where_only_both_together_are_hit() -> None:
    people = crowd(2_000)
    mine = ((people["country"] == "SE") & (people["device"] == "phone")).to_numpy()
    found = smallest_slice(people, mine)
    assert found is not None
    assert found.where == {"country": "SE", "device": "phone"}


@pytest.mark.parametrize("seed", range(5))
def test_a_part_of_the_group_that_was_hit_is_not_taken_for_it(seed: int) -> None:
    people = crowd(2_000, seed)
    rng = np.random.default_rng(seed)
    mine = (people["kind"] == "both").to_numpy() & (rng.random(2_000) < 0.6)
    found = smallest_slice(people, mine)
    assert found is not None
    assert found.where == {"kind": "both"}


def test_a_few_others_who_are_hit_do_not_hide_the_group() -> None:
    people = crowd(2_000)
    rng = np.random.default_rng(1)
    mine = ((people["country"] == "FI") & (people["kind"] == "both")).to_numpy() | (rng.random(2_000) < 0.02)
    found = smallest_slice(people, mine)
    assert found is not None
    assert found.where == {"country": "FI", "kind": "both"}
    assert found.hit_rate == 1.0
    assert 0.5 < found.share < 1.0


def test_chance_alone_names_a_group_on_few_nights() -> None:
    rng = np.random.default_rng(2)
    nights = 200
    named = sum(smallest_slice(crowd(400, night), rng.random(400) < 0.1) is not None for night in range(nights))
    assert named <= 2 * CHANCE * nights


def test_a_tiny_group_that_is_hit_whole_is_not_named() -> None:
    people = crowd(400)
    people["country"] = ["IS"] * (SMALLEST - 1) + ["SE"] * (400 - SMALLEST + 1)
    assert smallest_slice(people[["country"]], (people["country"] == "IS").to_numpy()) is None


def test_where_nobody_or_everybody_is_hit_no_group_stands_out() -> None:
    people = crowd(100)
    assert smallest_slice(people, np.zeros(100, np.bool_)) is None
    assert smallest_slice(people, np.ones(100, np.bool_)) is None
    assert smallest_slice(people[:0], np.zeros(0, np.bool_)) is None


def test_listeners_of_whom_an_attribute_is_not_known_are_in_no_group_of_it() -> None:
    people = crowd(1_000)
    people.loc[people.index[:500], "device"] = None
    mine = (people["device"] == "car").to_numpy()
    found = smallest_slice(people, mine)
    assert found is not None
    assert found.where == {"device": "car"}


def test_wilsons_lower_bound_by_hand() -> None:
    # 8 of 10 at 1.96 standard deviations: the textbook's 0.490; none of 10 is 0, all of 10 is 10 / (10 + z^2)
    low = wilson_low(np.array([8, 0, 10]), np.array([10, 10, 10]), 1.96)
    assert low.tolist() == pytest.approx([0.4902, 0.0, 10 / (10 + 1.96**2)], abs=1e-4)
