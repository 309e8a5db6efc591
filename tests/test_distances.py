"""How far two distributions are apart: by hand, and against numpy and scipy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import chebyshev
from scipy.stats import entropy

from contract.features import BY_NAME, FEATURES
from monitoring.distances import distances

NUMBER, COUNT, CATEGORY, VECTOR, MAP = "recency_hours", "plays_7d", "top_genre", "user_vector", "show_listens_28d"
FLOOR = 1e-4
"""What an empty bin counts as in PSI."""
NOT_APART = {"psi": 0.0, "js": 0.0, "linf": 0.0}


def apart(name: str, reference: Sequence[Any], observed: Sequence[Any]) -> dict[str, float]:
    feature = BY_NAME[name]
    left, right = (pa.table({name: pa.array(values, feature.arrow_type)}) for values in (reference, observed))
    return distances(feature, left, right)


def psi(p: Sequence[float], q: Sequence[float]) -> float:
    return sum((b - a) * np.log(b / a) for a, b in zip(p, q, strict=True))


def test_categories_by_hand() -> None:
    found = apart(CATEGORY, ["rock", "rock", "jazz", "news"], ["rock", "jazz", "jazz", "news"])
    # shares (1/2, 1/4, 1/4) against (1/4, 1/2, 1/4); their middle is (3/8, 3/8, 1/4)
    assert found["psi"] == pytest.approx(0.5 * np.log(2))
    assert found["js"] == pytest.approx(np.sqrt(np.log2(4 / 3) / 2 + np.log2(2 / 3) / 4))
    assert found["linf"] == pytest.approx(0.25)


def test_nothing_in_common_is_as_far_as_can_be() -> None:
    found = apart(CATEGORY, ["rock"], ["jazz"])
    assert found["js"] == pytest.approx(1.0)
    assert found["linf"] == 1.0
    assert found["psi"] == pytest.approx(psi([1, FLOOR], [FLOOR, 1]))


@pytest.mark.parametrize("name", [NUMBER, COUNT])
def test_numbers_are_binned_by_the_deciles_of_the_reference(name: str) -> None:
    found = apart(name, range(10), [0] * 5 + [9] * 5)
    assert found["linf"] == pytest.approx(0.4)
    assert found["psi"] == pytest.approx(psi([0.1] * 10, [0.5, *[FLOOR] * 8, 0.5]))


def test_numbers_outside_the_reference_fall_in_its_outer_bins() -> None:
    assert apart(NUMBER, range(10), [-100, *range(1, 9), 100]) == pytest.approx(NOT_APART)


@pytest.mark.parametrize(("name", "value"), [(NUMBER, 1.0), (COUNT, 1), (CATEGORY, "rock"), (VECTOR, [1.0])])
def test_null_is_a_bin_of_its_own(name: str, value: Any) -> None:
    found = apart(name, [value, value, value, None], [value, None, None, None])
    assert found["linf"] == pytest.approx(0.5)
    assert found["psi"] == pytest.approx(psi([0.75, 0.25], [0.25, 0.75]))


def test_all_null_against_some_null_is_seen() -> None:
    assert apart(NUMBER, [None, None], [None, 1.0])["linf"] == pytest.approx(0.5)


def test_the_values_of_maps_are_binned_one_by_one() -> None:
    reference = [[("show-a", 1), ("show-b", 9)], []]
    assert apart(MAP, reference, [[("show-a", 9)], [("show-c", 1)]]) == NOT_APART
    assert apart(MAP, reference, [[("show-a", 9), ("show-b", 9)]])["linf"] == pytest.approx(0.5)


def test_a_vector_stands_in_the_bin_of_its_largest_component() -> None:
    assert apart(VECTOR, [[0.6, 0.8]], [[0.0, 1.0]]) == NOT_APART
    assert apart(VECTOR, [[0.6, 0.8]], [[0.8, 0.6]])["linf"] == 1.0


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_identical_tables_are_not_apart(feature: Any) -> None:
    toys: dict[str, list[Any]] = {
        "number": [1, 2, 2, 5, None],
        "category": ["rock", "jazz", "jazz", None],
        "vector": [[0.6, 0.8], [1.0, 0.0], None],
        "map": [[("show-a", 1), ("show-b", 2)], [("show-a", 3)], []],
    }
    values = toys[feature.kind]
    assert apart(feature.name, values, values) == NOT_APART
    assert apart(feature.name, values, values[::-1]) == NOT_APART


def test_a_constant_column_is_not_apart_from_itself_whatever_its_length() -> None:
    assert apart(NUMBER, [5.0] * 3, [5.0] * 7) == NOT_APART


@pytest.mark.parametrize("value", [1 / 3, 0.0, 1e6 / 7])
def test_noise_of_32_bit_floats_moves_nobody_into_another_bin(value: float) -> None:
    crowded = [value] * 30 + list(np.arange(70) / 7)
    assert apart(NUMBER, crowded, np.array(crowded, np.float32).astype(np.float64)) == NOT_APART


def test_infinities_are_bins_of_their_own() -> None:
    found = apart(NUMBER, [1.0, 2.0, 3.0, np.inf], [1.0, 2.0, 3.0, -np.inf])
    assert found["linf"] == 0.25
    assert apart(NUMBER, [1.0, np.inf], [1.0, np.inf]) == NOT_APART


def test_vectors_of_several_lengths_stand_beside_each_other() -> None:
    assert apart(VECTOR, [[0.1, 0.9], [0.5], [], None], [[0.5], [0.2, 0.3], None, []]) == NOT_APART


def test_a_constant_column_that_fell_is_as_far_as_can_be() -> None:
    found = apart(NUMBER, [5.0] * 3, [4.0] * 3)
    assert found["js"] == pytest.approx(1.0)
    assert found["linf"] == 1.0


@pytest.mark.parametrize(("name", "value"), [(NUMBER, 1.0), (CATEGORY, "rock"), (MAP, [("show-a", 1)])])
@pytest.mark.parametrize("reference_is_empty", [True, False])
def test_an_empty_side_is_far_from_any_value(name: str, value: Any, reference_is_empty: bool) -> None:
    found = apart(name, [], [value]) if reference_is_empty else apart(name, [value], [])
    assert found["linf"] == 1.0
    assert found["psi"] == pytest.approx(psi([FLOOR], [1]))


@pytest.mark.parametrize("seed", range(5))
def test_random_numbers_are_as_far_apart_as_numpy_and_scipy_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, observed = rng.normal(0, 1, 1000), rng.normal(0.3, 1.2, 700)
    edges = [-np.inf, *np.quantile(reference, np.arange(1, 10) / 10), np.inf]
    p, q = (np.histogram(values, edges)[0] / len(values) for values in (reference, observed))
    middle = (p + q) / 2
    found = apart(NUMBER, reference, observed)
    assert found["psi"] == pytest.approx(entropy(p, q) + entropy(q, p))
    assert found["js"] == pytest.approx(np.sqrt((entropy(p, middle, 2) + entropy(q, middle, 2)) / 2))
    assert found["linf"] == pytest.approx(chebyshev(p, q))


@pytest.mark.parametrize("observed", [6, 4])
def test_what_leaves_a_constant_is_seen_on_either_side(observed: int) -> None:
    found = apart(COUNT, [5] * 20, [observed] * 20)
    assert (found["js"], found["linf"]) == (1.0, 1.0)


def test_what_rises_above_a_crowded_value_is_seen() -> None:
    assert apart(COUNT, [0] * 95 + [1] * 5, [1] * 100)["linf"] == pytest.approx(0.95)


def test_an_empty_side_is_as_far_as_can_be() -> None:
    assert apart(COUNT, [1, 2], [])["js"] == 1.0
    assert apart(MAP, [], [[("a", 1)]])["js"] == 1.0
