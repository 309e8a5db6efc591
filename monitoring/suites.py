"""The four suites, and a fifth for nights that trained. Where they fail stands in ``monitoring.limits``, or was calibrated."""

from __future__ import annotations

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from contract.features import FEATURES
from monitoring.limits import BEYOND_TOLERANCE as BEYOND_TOLERANCE
from monitoring.limits import DEFAULTS, Limits
from monitoring.measures import NOT_FINITE, UNMATCHED
from monitoring.training import training_suite

SUITES = ("operations", "distribution", "parity", "ranking")
TRAINING = "training"
"""Judged on the nights that trained a model, and required on none."""
REQUIRED = ("operations", "parity", "ranking")

REJECTED, BEHIND = 0.02, 0
"""Operations: the share of bad records, and partitions whose consumer has not passed the midnight."""


def operations() -> ExpectationSuite:
    """Return what most teams watch: schema, nulls, ranges, volume, errors, lag."""
    scalars = [f for f in FEATURES if f.kind in {"number", "category"}]
    present = [gxe.ExpectColumnToExist(column=f.name) for f in scalars]
    filled = [gxe.ExpectColumnValuesToNotBeNull(column=f.name) for f in scalars if f.null.startswith("never")]
    shares = [f for f in scalars if f.name.split("_")[1] in {"rate", "share", "completion"} or "completion" in f.name]
    ranges = [gxe.ExpectColumnValuesToBeBetween(column=f.name, min_value=0, max_value=1) for f in shares]
    counts = [gxe.ExpectColumnValuesToBeBetween(column=f.name, min_value=0) for f in scalars if f.dtype == "int64"]
    facts = [
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
        gxe.ExpectColumnValuesToBeUnique(column="user_id"),
        gxe.ExpectColumnMaxToBeBetween(column="_rejected_share", max_value=REJECTED),
        gxe.ExpectColumnMaxToBeBetween(column="_partitions_behind", max_value=BEHIND),
        gxe.ExpectColumnMinToBeBetween(column="_events", min_value=1),
        gxe.ExpectColumnMaxToBeBetween(column=NOT_FINITE, max_value=0),
    ]
    return ExpectationSuite(name="operations", expectations=[*present, *filled, *ranges, *counts, *facts])


def distribution(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what drift monitors watch: distances between the two paths' values, feature by feature."""
    borne = {"psi": limits.psi, "js": limits.js, "linf": limits.linf}
    expectations = [gxe.ExpectColumnValuesToBeBetween(column=name, max_value=limit) for name, limit in borne.items()]
    return ExpectationSuite(name="distribution", expectations=expectations)


def parity(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what catches skew: per feature, the share of requests on which the paths do not agree."""
    columns = [UNMATCHED, *(feature.name for feature in FEATURES)]
    expectations = [gxe.ExpectColumnMeanToBeBetween(column=name, max_value=limits.of(name)) for name in columns]
    return ExpectationSuite(name="parity", expectations=expectations)


def ranking(limits: Limits = DEFAULTS) -> ExpectationSuite:
    """Return what listeners would notice: whether both paths show the same ten shows."""
    return ExpectationSuite(
        name="ranking",
        expectations=[
            gxe.ExpectColumnMeanToBeBetween(column="overlap", min_value=limits.overlap),
            gxe.ExpectColumnMeanToBeBetween(column="rbo", min_value=limits.rbo),
            gxe.ExpectColumnMeanToBeBetween(column="score_difference", max_value=limits.score_difference),
        ],
    )


def all_suites(limits: Limits = DEFAULTS) -> dict[str, ExpectationSuite]:
    """Return the suites by name."""
    suites = (operations(), distribution(limits), parity(limits), ranking(limits), training_suite(limits))
    return {suite.name: suite for suite in suites}
