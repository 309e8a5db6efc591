"""The four suites, and a fifth for nights that trained. Where they fail stands in ``monitoring.limits``, or was calibrated."""

from __future__ import annotations

from typing import Any

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from contract.features import FEATURES, Feature
from monitoring.limits import DEFAULTS, Limits
from monitoring.measures import NOT_FINITE, UNMATCHED

SUITES = ("operations", "distribution", "parity", "ranking")
TRAINING = "training"
"""Judged on the nights that trained a model, and required on none."""
REQUIRED = ("operations", "parity", "ranking")

REJECTED, BEHIND = 0.02, 0
"""Operations: the share of bad records, and partitions whose consumer has not passed the midnight."""


def operations() -> ExpectationSuite:
    """Return what most teams watch: schema, nulls, ranges, volume, errors, lag."""
    scalars = [f for f in FEATURES if f.kind in {"number", "category"}]
    shares = [f for f in scalars if f.name.split("_")[1] in {"rate", "share", "completion"} or "completion" in f.name]
    by_feature = [
        *(gxe.ExpectColumnToExist(column=f.name, **_said(f, "is there")) for f in scalars),
        *(
            gxe.ExpectColumnValuesToNotBeNull(column=f.name, **_said(f, "is never null"))
            for f in scalars
            if f.null.startswith("never")
        ),
        *(_between(f.name, 0, 1, **_said(f, "lies between 0 and 1")) for f in shares),
        *(_between(f.name, 0, None, **_said(f, "is not negative")) for f in scalars if f.dtype == "int64"),
    ]
    facts = [
        gxe.ExpectTableRowCountToBeBetween(min_value=1, description="the live path answers for somebody"),
        gxe.ExpectColumnValuesToBeUnique(column="user_id", description="each listener stands there once"),
        _most("_rejected_share", REJECTED, f"at most {REJECTED:.0%} of the day's records are bad"),
        _most("_partitions_behind", BEHIND, "every partition of the live path has passed the midnight"),
        gxe.ExpectColumnMinToBeBetween(column="_events", min_value=1, description="the day had events"),
        _most(NOT_FINITE, 0, "no value is NaN or infinite"),
    ]
    return ExpectationSuite(name="operations", expectations=[*by_feature, *facts])


def distribution(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what drift monitors watch: distances between the two paths' values, feature by feature."""
    borne = {
        "psi": (limits.psi, "PSI", "The population stability index over ten bins of equal size in the batch path's values."),
        "js": (limits.js, "Jensen-Shannon distance", "The square root of the divergence to base 2: 0 for equal, 1 for disjoint."),
        "linf": (limits.linf, "L-infinity", "The largest difference between two bins' shares."),
    }
    expectations = [
        _between(
            name, None, limit, description=f"{called} of every feature, live against batch, is at most {limit:g}", notes=[how]
        )
        for name, (limit, called, how) in borne.items()
    ]
    return ExpectationSuite(name="distribution", expectations=expectations)


def parity(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what catches skew: per feature, the share of requests on which the paths do not agree."""
    return ExpectationSuite(name="parity", expectations=agreement(limits, "requests", "serving"))


def training(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what catches a leak: per feature, the share of training rows that serving could not have had, as in parity."""
    return ExpectationSuite(name=TRAINING, expectations=agreement(limits, "training rows", "training"))


def agreement(limits: Limits, rows: str, other: str) -> list[Any]:
    """Return an expectation a feature, and one that no row is on one side alone."""

    def borne(column: str) -> str:
        return f"at most {limits.of(column):.2%} of the {rows}" if limits.of(column) else f"none of the {rows}"

    by_feature = [
        _mean(f.name, limits.of(f.name), **_said(f, f"differs beyond {f.tolerance:g} on {borne(f.name)}")) for f in FEATURES
    ]
    note = f"Missing: the batch path has the row and {other} has not. Extra: the other way round."
    alone = f"on one side alone is {borne(UNMATCHED)}"
    return [_mean(UNMATCHED, limits.of(UNMATCHED), description=alone, notes=[note]), *by_feature]


def ranking(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what listeners would notice: whether both paths show the same ten shows."""
    overlap = f"of the first ten shows, {limits.overlap:.0%} are the same on both paths"
    rbo = f"rank-biased overlap of the first ten shows is at least {limits.rbo:g}"
    score = f"the largest difference between two scores is at most {limits.score_difference:g}"
    return ExpectationSuite(
        name="ranking",
        expectations=[
            gxe.ExpectColumnMeanToBeBetween(column="overlap", min_value=limits.overlap, description=overlap, notes=[MEANS]),
            gxe.ExpectColumnMeanToBeBetween(column="rbo", min_value=limits.rbo, description=rbo, notes=[MEANS]),
            _mean("score_difference", limits.score_difference, description=score, notes=[MEANS]),
        ],
    )


MEANS = "The mean over all listeners with a ranking on both paths; ties do not count."


def _said(feature: Feature, what: str) -> dict[str, Any]:
    """Return what the Data Docs say of an expectation about a feature: a sentence, and what the feature is."""
    return {"description": f"{feature.name} {what}", "notes": [f"{feature.definition}; owner: {feature.owner}"]}


def _between(column: str, least: float | None, most: float | None, **told: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=least, max_value=most, **told)


def _most(column: str, most: float, description: str) -> Any:
    return gxe.ExpectColumnMaxToBeBetween(column=column, max_value=most, description=description)


def _mean(column: str, most: float, **told: Any) -> Any:
    return gxe.ExpectColumnMeanToBeBetween(column=column, max_value=most, **told)


def all_suites(limits: Limits = DEFAULTS) -> dict[str, ExpectationSuite]:
    """Return the suites by name."""
    suites = (operations(), distribution(limits), parity(limits), ranking(limits), training(limits))
    return {suite.name: suite for suite in suites}
