"""The search for the suspect: a small world's live path is replayed under what each skew of a short catalogue would do.

The clean live path stands for the batch path: that both agree is what the tests of parity are about.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from batch.listens import REQUEST
from contract.event import Names
from contract.features import FeatureConstants
from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews import catalogue
from monitoring.compare import align
from monitoring.suspect import Evidence, Explained, difference, find_suspect, suspects
from streaming.replay import Stretch
from streaming.view import View
from tests.smallworld import begun

SEED = 3
NAMED = ("utc-day-boundary", "podcast-resume", "stale-snapshot", "seconds-for-milliseconds", "duplicates-counted")


class ShorterSkips(Skew):
    id = "shorter-skips"
    moves = catalogue()["seconds-for-milliseconds"].moves
    value_name, unit, harmless, worst = "skip below", "s", 30, 10
    tries = (10, 20)

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        return dataclasses.replace(constants, music_skip_ms=round(self.value * 1000))


class Renamed(Skew):
    id = "renamed"

    def keys(self, users: Names) -> Names:
        return np.where(self.hit(users), np.array([f"x{user}" for user in users], object), users)


class Unheard(Skew):
    id = "unheard"
    moves = ("recency_hours",)

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        return {**columns, "recency_hours": np.sqrt(columns["recency_hours"])}  # type: ignore[call-overload]


class NoSkips(Skew):
    """Stands for a fault of the batch side: what it does is done by the live path's code, which the tests have no Spark for."""

    id = "no-skips"
    side = "batch"
    moves = ("skip_rate_28d",)

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        return {**columns, "skip_rate_28d": np.where(self.hit(window.users), 0.0, columns["skip_rate_28d"])}


CATALOGUE = [*(catalogue()[name] for name in NAMED), ShorterSkips, Renamed, NoSkips]


@pytest.fixture(scope="module")
def stretches(tmp_path_factory: pytest.TempPathFactory) -> list[Stretch]:
    return [one.stretch() for one in begun(tmp_path_factory.mktemp("home"))]


@pytest.fixture(scope="module")
def clean(stretches: list[Stretch]) -> pa.Table:
    return said(stretches)


def said(stretches: Sequence[Stretch], *skews: Skew) -> pa.Table:
    return pa.concat_tables(stretch.rows(skews) for stretch in stretches)


def evidence(stretches: list[Stretch], clean: pa.Table, *skews: Skew) -> Evidence:
    return Evidence(clean, said(stretches, *skews), lambda tried: said(stretches, *tried))


def _keys(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(table.column(name).to_pylist() for name in REQUEST), strict=True))


@pytest.mark.parametrize(
    ("skew", "parameter"),
    [
        (catalogue()["utc-day-boundary"](0.75, SEED), "calendar offset -360 min"),
        (catalogue()["stale-snapshot"](2 / 3, SEED), "age 2 d"),
        (catalogue()["stale-snapshot"](1, SEED), "age 3 d"),
        (ShorterSkips(1, SEED), "skip below 10 s"),
        (ShorterSkips(0.5, SEED), "skip below 20 s"),
    ],
)
def test_the_skew_is_named_with_its_value(stretches: list[Stretch], clean: pa.Table, skew: Skew, parameter: str) -> None:
    found = find_suspect(evidence(stretches, clean, skew), CATALOGUE)
    assert (found.skew, found.parameter, found.explained) == (skew.id, parameter, 1.0)


@pytest.mark.parametrize("severity", [0.3, 1])
def test_of_a_skew_that_hits_some_the_share_is_told(stretches: list[Stretch], clean: pa.Table, severity: float) -> None:
    found = find_suspect(evidence(stretches, clean, catalogue()["podcast-resume"](severity, SEED)), CATALOGUE)
    assert (found.skew, found.explained) == ("podcast-resume", 1.0)
    assert found.parameter is not None
    assert abs(int(found.parameter.split("%")[0]) / 100 - severity) < 0.2


def test_rows_under_other_names_are_explained(stretches: list[Stretch], clean: pa.Table) -> None:
    found = find_suspect(evidence(stretches, clean, Renamed(0.4, SEED)), CATALOGUE)
    assert (found.skew, found.explained) == ("renamed", 1.0)


def test_what_no_hypothesis_explains_is_said_to_be_unknown(stretches: list[Stretch], clean: pa.Table) -> None:
    found = find_suspect(evidence(stretches, clean, Unheard(1, SEED)), CATALOGUE)
    assert found.skew is None
    assert found.parameter is None


def test_without_a_difference_there_is_no_suspect(stretches: list[Stretch], clean: pa.Table) -> None:
    assert suspects(evidence(stretches, clean), CATALOGUE) == []


def test_two_skews_at_once_are_named_as_a_pair(stretches: list[Stretch], clean: pa.Table) -> None:
    both = (catalogue()["utc-day-boundary"](1, SEED), catalogue()["podcast-resume"](1, SEED))
    found = find_suspect(evidence(stretches, clean, *both), CATALOGUE)
    assert found.skew is not None
    assert set(found.skew.split(" + ")) == {"utc-day-boundary", "podcast-resume"}
    assert found.explained == 1.0


def test_a_pair_of_which_one_is_unknown_is_an_honest_no(stretches: list[Stretch], clean: pa.Table) -> None:
    both = (catalogue()["utc-day-boundary"](1, SEED), Unheard(1, SEED))
    assert find_suspect(evidence(stretches, clean, *both), CATALOGUE).skew is None


def test_where_the_live_path_said_what_its_clean_code_says_the_batch_side_is_searched(
    stretches: list[Stretch], clean: pa.Table
) -> None:
    wrong = said(stretches, NoSkips(0.5, SEED))
    found = find_suspect(Evidence(wrong, clean, lambda t: said(stretches, *t), lambda t: said(stretches, *t)), CATALOGUE)
    assert (found.skew, found.explained) == ("no-skips", 1.0)


def test_a_skew_that_would_move_more_than_moved_comes_behind_one_that_would_not(
    stretches: list[Stretch], clean: pa.Table
) -> None:
    ranked = suspects(evidence(stretches, clean, catalogue()["seconds-for-milliseconds"](1, SEED)), CATALOGUE)
    assert ranked[0].name == "seconds-for-milliseconds"
    assert all(isinstance(one, Explained) and 0 < one.share <= 1 and 0 <= one.precision <= 1 for one in ranked)
    assert len({one.name for one in ranked}) == len(ranked)


def test_the_difference_of_two_tables_is_told_by_request_and_feature(clean: pa.Table) -> None:
    column = clean.column("plays_7d").to_numpy().copy()
    column[3] += 1
    changed = clean.set_column(clean.column_names.index("plays_7d"), clean.schema.field("plays_7d"), pa.array(column))
    found = difference(clean, changed.slice(1))
    assert found.features == {"plays_7d"}
    assert found.keys == {_keys(clean)[0], _keys(clean)[3]}
    assert found.lonely == {_keys(clean)[0]}
    assert len(align(clean, changed, REQUEST)) == len(clean)
