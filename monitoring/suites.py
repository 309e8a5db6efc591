"""The four suites. Thresholds stand here, each with where it is from."""

from __future__ import annotations

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from contract.features import FEATURES
from monitoring.measures import UNMATCHED

SUITES = ("operations", "distribution", "parity", "ranking")
REQUIRED = ("operations", "parity", "ranking")

BEYOND_TOLERANCE = 0.005
"""Parity: the share of requests beyond tolerance that is borne. On a clean world it is 0; fixed, not calibrated yet."""
PSI, JENSEN_SHANNON, L_INFINITY = 0.2, 0.1, 0.1
"""Distribution: 'significant' by the usual reading of PSI (Siddiqi 2006), and the 0.1 that drift monitors start from."""
OVERLAP, SCORE_DIFFERENCE = 0.99, 1e-3
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
    ]
    return ExpectationSuite(name="operations", expectations=[*present, *filled, *ranges, *counts, *facts])


def distribution() -> ExpectationSuite:
    """Return what drift monitors watch: distances between the two paths' values, feature by feature."""
    limits = {"psi": PSI, "js": JENSEN_SHANNON, "linf": L_INFINITY}
    expectations = [gxe.ExpectColumnValuesToBeBetween(column=name, max_value=limit) for name, limit in limits.items()]
    return ExpectationSuite(name="distribution", expectations=expectations)


def parity() -> ExpectationSuite:
    """Return what catches skew: per feature, the share of requests on which the paths do not agree."""
    columns = [UNMATCHED, *(feature.name for feature in FEATURES)]
    expectations = [gxe.ExpectColumnMeanToBeBetween(column=name, max_value=BEYOND_TOLERANCE) for name in columns]
    return ExpectationSuite(name="parity", expectations=expectations)


def ranking() -> ExpectationSuite:
    """Return what listeners would notice: whether both paths show the same ten shows."""
    return ExpectationSuite(
        name="ranking",
        expectations=[
            gxe.ExpectColumnMeanToBeBetween(column="overlap", min_value=OVERLAP),
            gxe.ExpectColumnMeanToBeBetween(column="rbo", min_value=OVERLAP),
            gxe.ExpectColumnMeanToBeBetween(column="score_difference", max_value=SCORE_DIFFERENCE),
        ],
    )


def all_suites() -> dict[str, ExpectationSuite]:
    """Return the suites by name."""
    return {suite.name: suite for suite in (operations(), distribution(), parity(), ranking())}
