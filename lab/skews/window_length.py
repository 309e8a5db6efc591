"""A week of eight days."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew

HOURS_A_DAY = 24


class WindowLength(Skew):
    """The live path's week is longer than the batch path's.

    Ten days are the most that it answers for: single listens are kept for eleven.
    """

    id = "window-length"
    title = "The week has eight days in serving"
    story = (
        "Somebody read seven days as 'today and the seven before'. The name of the feature is the same in both paths, its "
        "distribution nearly so, and two listeners in three have another number."
    )
    sources = (
        "https://building.nubank.com.br/dealing-with-train-serve-skew-in-real-time-ml-models-a-short-guide/",
        "https://github.com/airbnb/chronon/blob/028699365b35fe96130114e845a92c0b99caeb35/docs/source/authoring_features/GroupBy.md",
        "https://docs.feast.dev/getting-started/concepts/tiling",
        "https://blog.csdn.net/weixin_42134034/article/details/105740783",
    )
    group = "time"
    evidence = "A"
    moves = ("plays_7d",)
    seen_by = ("parity", "ranking")
    parameter = "length of the week, up to 8 days"
    value_name, unit, harmless, worst = "week", "d", 7, 8
    tries = (3, 5, 6, 8, 9, 10)
    fix = "Take the window from the registry: week_window_h 168"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Exchange the length of the week."""
        return dataclasses.replace(constants, week_window_h=round(self.value * HOURS_A_DAY))
