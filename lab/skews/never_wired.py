"""Features that serving never got."""

from __future__ import annotations

import numpy as np

from contract.features import FEATURES, Feature
from contract.rows import Column, FeatureColumns
from contract.skew import Skew
from streaming.view import View

FAMILIES = ("sessions", "taste")
"""Owners in the registry, in the order in which their features go missing."""


class NeverWired(Skew):
    """All features of a family have one value in serving: null where the registry allows it, else 0."""

    id = "never-wired"
    title = "A family of features was never wired to serving"
    story = (
        "The team shipped its features to training and to the model, and the change that would have read them in serving is "
        "still in review. The ranker has learnt to lean on something that is always nothing."
    )
    sources = (
        "https://sysdesign-wiki.pages.dev/sources/2026-02-27-pinterest-bridging-the-gap-online-offline-discrepancy-l1-cvr/",
        "https://sysdesign-wiki.pages.dev/patterns/feature-parity-audit/",
        "https://docslib.org/doc/11735253/data-validation-for-machine-learning",
    )
    group = "freshness"
    evidence = "A"
    moves = tuple(f.name for f in FEATURES if f.owner in FAMILIES)
    seen_by = ("distribution", "parity", "ranking")
    parameter = "how many families are missing: none, sessions, sessions and taste"
    value_name, unit, worst = "missing", "families", len(FAMILIES)
    tries = (1, 2)
    fix = "Check, where the model is served, that every feature of its list is filled"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Exchange every feature of the missing families by its constant."""
        missing = FAMILIES[: round(self.value)]
        return {**columns, **{f.name: _constant(f, columns[f.name]) for f in FEATURES if f.owner in missing}}


def _constant(feature: Feature, column: Column) -> Column:
    assert isinstance(column, np.ndarray)
    if feature.dtype == "string":
        return np.full_like(column, None)
    return np.full_like(column, 0 if feature.null.startswith("never") else np.nan)
