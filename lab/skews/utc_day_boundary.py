"""Days that begin at somebody's local midnight."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew


class UtcDayBoundary(Skew):
    """The serving path cuts calendar days at the midnight of its own time zone."""

    id = "utc-day-boundary"
    title = "The day begins at local midnight in serving, at UTC midnight in training"
    story = "The service runs with the time zone of the office. Yesterday is another yesterday for eight hours a day."
    sources = (
        "https://spark.apache.org/docs/3.4.1/api/python/reference/pyspark.sql/api/pyspark.sql.functions.from_unixtime.html",
        "https://codewithbehnam.github.io/machine%20learning/data%20engineering/mlops/when-the-feature-store-rebelled",
    )
    group = "time"
    evidence = "A"
    moves = ("plays_yesterday", "active_days_28d")
    parameter = "hours behind UTC, up to 8"
    value_name, unit, worst = "calendar offset", "min", -480
    tries = (-480, -420, -360, -300, -240, -180, -120, -60, 60, 120, 180, 240, 300, 330, 360, 420, 480, 540, 600, 660, 720)
    fix = "Take calendar days in UTC: TZ=UTC, and calendar_offset_min 0"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Move the boundary of calendar days."""
        return dataclasses.replace(constants, calendar_offset_min=round(self.value))
