"""The four suites on toy frames, run by the real Great Expectations: what passes, what fails, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from great_expectations import ExpectationSuite

from contract.errors import CannotJudge
from contract.features import FEATURES, NAMES
from monitoring.checks import Checks, Judged
from monitoring.limits import Limits
from monitoring.measures import NOT_FINITE, UNMATCHED, Measures, means
from monitoring.suites import SUITES, all_suites

REQUESTS = 200
MEAN, BETWEEN = "expect_column_mean_to_be_between", "expect_column_values_to_be_between"
NOT_NULL, UNIQUE = "expect_column_values_to_not_be_null", "expect_column_values_to_be_unique"
LISTENERS = [f"user-{i:03d}" for i in range(REQUESTS)]
PASSED = Judged("pass")


@cache
def clean() -> Measures:
    """Measures of a night on which both paths agree: each frame with one row a listener."""
    toys = {"int64": 3, "float64": 0.5, "string": "rock"}
    scalars: dict[str, Any] = {f.name: toys[f.dtype] for f in FEATURES if f.kind in {"number", "category"}}
    facts = {"_events": 1000.0, "_rejected_share": 0.0, "_partitions_behind": 0.0, NOT_FINITE: 0.0}
    users = pd.DataFrame({"user_id": LISTENERS})
    return Measures(
        operations=users.assign(**scalars, **facts),
        distribution=pd.DataFrame({"feature": NAMES, "psi": 0.0, "js": 0.0, "linf": 0.0}),
        parity=users.assign(**dict.fromkeys(NAMES, 0.0), **{UNMATCHED: 0}),
        requests=users.assign(**dict.fromkeys(NAMES, 0.0), **{UNMATCHED: 0})[:20],
        ranking=users.assign(overlap=1.0, rbo=1.0, score_difference=0.0),
        features={},
    )


def changed(frame: pd.DataFrame, column: str, value: Any, rows: int = REQUESTS) -> pd.DataFrame:
    """Return the frame with a value in the first rows of a column."""
    values = frame[column].astype(object)
    values.iloc[:rows] = value
    return frame.assign(**{column: values.infer_objects()})


def operations(column: str, value: Any, rows: int = 1) -> Measures:
    return replace(clean(), operations=changed(clean().operations, column, value, rows))


def parity(column: str, rows: int) -> Measures:
    return replace(clean(), parity=changed(clean().parity, column, 1.0, rows))


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Checks:
    """Return the suites of a fresh folder."""
    return Checks(tmp_path_factory.mktemp("checks"))


def judged(checks: Checks, measures: Measures, run: str = "2026-01-08T00:00:00Z") -> dict[str, Judged]:
    """Judge the suites whose frames are not the clean night's: of those it is known that they pass."""
    frames = measures.frames()
    touched = {name: frames[name] for name in SUITES if getattr(measures, name) is not getattr(clean(), name)}
    return {**dict.fromkeys(SUITES, PASSED), **checks.judge(touched or frames, run)}


def fails_alone(found: dict[str, Judged], suite: str, *failed: tuple[str, str]) -> bool:
    """Tell whether one suite fails, by these expectations alone, and all others pass."""
    return found == {**dict.fromkeys(SUITES, PASSED), suite: Judged("fail", failed)}


def test_a_clean_night_passes_all_four(checks: Checks) -> None:
    assert judged(checks, clean()) == dict.fromkeys(SUITES, PASSED)


@pytest.mark.parametrize("feature", ["plays_7d", "skip_rate_28d", "top_genre", "user_vector", "show_completion_28d"])
def test_a_feature_beyond_tolerance_on_one_request_is_named(checks: Checks, feature: str) -> None:
    assert fails_alone(judged(checks, parity(feature, 1)), "parity", (feature, MEAN))


def test_what_was_calibrated_is_borne_and_nothing_more(checks: Checks) -> None:
    limits = Limits(beyond={"plays_7d": 2 / REQUESTS}, psi=0.3)
    moved = replace(clean(), distribution=changed(clean().distribution, "psi", 0.25, 1))
    for measures in (parity("plays_7d", 2), moved):
        frames = measures.frames()
        assert {one.outcome for one in checks.judge(frames, "calibrated", limits).values()} == {"pass"}
    assert checks.judge(parity("plays_7d", 3).frames(), "calibrated", limits)["parity"] == Judged("fail", (("plays_7d", MEAN),))
    assert checks.judge(parity("plays_24h", 2).frames(), "calibrated", limits)["parity"] == Judged("fail", (("plays_24h", MEAN),))
    assert fails_alone(judged(checks, parity("plays_7d", 1)), "parity", ("plays_7d", MEAN)), "the next night has none"


def test_a_suite_without_expectations_cannot_be_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hollow = {**all_suites(), "ranking": ExpectationSuite(name="ranking")}
    monkeypatch.setattr("monitoring.checks.all_suites", lambda limits: hollow)
    with pytest.raises(CannotJudge, match="'ranking' evaluated nothing"):
        Checks(tmp_path).judge(clean().frames(), "hollow")


def test_a_mean_is_taken_of_what_is_known_and_of_no_rows_there_is_none() -> None:
    frame = pd.DataFrame({"user_id": ["ann", "bob", "cy"], "plays_7d": [1.0, 0.0, np.nan], "plays_24h": np.nan})
    assert means(frame)["plays_7d"].tolist() == [0.5]
    assert means(frame)["plays_24h"].isna().tolist() == [True]
    assert len(means(frame[:0])) == 0


def test_every_feature_of_the_registry_is_watched(checks: Checks) -> None:
    beyond = replace(clean(), parity=clean().parity.assign(**dict.fromkeys(NAMES, 1.0)))
    assert [column for column, _ in judged(checks, beyond)["parity"].failed] == list(NAMES)


def test_rows_that_only_one_path_has_fail_as_unmatched(checks: Checks) -> None:
    lonely = pd.DataFrame({"user_id": ["ghost-1", "ghost-2", "ghost-3"], UNMATCHED: 1})
    frame = pd.concat([clean().parity, lonely], ignore_index=True)
    assert frame["plays_7d"].isna().sum() == 3
    assert fails_alone(judged(checks, replace(clean(), parity=frame)), "parity", (UNMATCHED, MEAN))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("plays_7d", None, NOT_NULL),
        ("phone_share_28d", None, NOT_NULL),
        ("phone_share_28d", 1.2, BETWEEN),
        ("skip_rate_28d", -0.1, BETWEEN),
        ("completion_28d", 1.01, BETWEEN),
        ("podcast_completion_28d", 1.01, BETWEEN),
        ("plays_24h", -1, BETWEEN),
    ],
)
def test_operations_fail_by_one_value_that_cannot_be(checks: Checks, column: str, value: Any, expected: str) -> None:
    assert fails_alone(judged(checks, operations(column, value)), "operations", (column, expected))


def test_operations_bear_a_null_where_the_registry_allows_one(checks: Checks) -> None:
    assert judged(checks, operations("skip_rate_28d", None))["operations"] == PASSED


def test_operations_fail_by_a_listener_who_is_there_twice(checks: Checks) -> None:
    twice = operations("user_id", LISTENERS[1])
    assert fails_alone(judged(checks, twice), "operations", ("user_id", UNIQUE))


@pytest.mark.parametrize(
    ("fact", "value", "expected"),
    [
        ("_rejected_share", 0.021, "expect_column_max_to_be_between"),
        ("_partitions_behind", 1.0, "expect_column_max_to_be_between"),
        (NOT_FINITE, 1.0, "expect_column_max_to_be_between"),
        ("_events", 0.0, "expect_column_min_to_be_between"),
    ],
)
def test_operations_fail_by_the_facts_of_the_day(checks: Checks, fact: str, value: float, expected: str) -> None:
    assert fails_alone(judged(checks, operations(fact, value, REQUESTS)), "operations", (fact, expected))


@pytest.mark.parametrize(("fact", "value"), [("_rejected_share", 0.02), ("_events", 1.0)])
def test_operations_pass_at_the_limit(checks: Checks, fact: str, value: float) -> None:
    assert judged(checks, operations(fact, value, REQUESTS))["operations"] == PASSED


@pytest.mark.parametrize("distance", ["psi", "js", "linf"])
def test_one_feature_whose_values_moved_fails_distribution_alone(checks: Checks, distance: str) -> None:
    moved = replace(clean(), distribution=changed(clean().distribution, distance, 0.21, 1))
    assert fails_alone(judged(checks, moved), "distribution", (distance, BETWEEN))


@pytest.mark.parametrize(("column", "value"), [("overlap", 0.9), ("rbo", 0.98), ("score_difference", 0.01)])
def test_rankings_that_differ_fail_ranking_alone(checks: Checks, column: str, value: float) -> None:
    differ = replace(clean(), ranking=clean().ranking.assign(**{column: value}))
    assert fails_alone(judged(checks, differ), "ranking", (column, MEAN))


@pytest.mark.parametrize("suite", SUITES)
def test_an_empty_frame_is_unjudged_and_never_a_pass(checks: Checks, suite: str) -> None:
    empty = replace(clean(), **{suite: getattr(clean(), suite).iloc[:0]})
    assert judged(checks, empty) == {**dict.fromkeys(SUITES, PASSED), suite: Judged("unjudged")}


@pytest.mark.parametrize(("suite", "column"), [("operations", "top_genre"), ("parity", "plays_7d"), ("ranking", "rbo")])
def test_a_column_that_is_not_there_fails(checks: Checks, suite: str, column: str) -> None:
    without = replace(clean(), **{suite: getattr(clean(), suite).drop(columns=column)})
    found = judged(checks, without)[suite]
    assert found.outcome == "fail"
    assert {name for name, _ in found.failed} == {column}


@pytest.mark.parametrize("column", ["overlap", "rbo", "score_difference"])
def test_a_ranking_column_without_any_value_fails(checks: Checks, column: str) -> None:
    hollow = replace(clean(), ranking=clean().ranking.assign(**{column: np.nan}))
    assert fails_alone(judged(checks, hollow), "ranking", (column, MEAN))


def test_a_folder_is_opened_again_by_the_next_command(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("again")
    judged(Checks(folder), parity("recency_hours", REQUESTS))
    assert judged(Checks(folder), clean(), "2026-01-09T00:00:00Z") == dict.fromkeys(SUITES, PASSED)


def test_the_data_docs_name_the_night_and_the_column_that_failed(tmp_path_factory: pytest.TempPathFactory) -> None:
    checks = Checks(tmp_path_factory.mktemp("docs"))
    checks.judge(parity("recency_hours", REQUESTS).frames(), "2026-01-08T00:00:00Z")
    first = checks.build_docs()
    assert "2026-01-08" in first.read_text()
    validations = [page.read_text() for page in (first.parent / "validations").rglob("*.html")]
    assert len(validations) == len(SUITES) + 1, "midnight and the day's requests are judged apart"
    assert any("recency_hours" in page and "Failed" in page for page in validations)
