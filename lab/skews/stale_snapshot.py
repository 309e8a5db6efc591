"""Features of some days ago."""

from __future__ import annotations

from contract.features import NAMES
from contract.skew import Skew
from contract.windows import DAY_MS, floor_day

WORST_DAYS = 3


class StaleSnapshot(Skew):
    """The live path answers as of a midnight some days back: its cache is not refreshed."""

    id = "stale-snapshot"
    title = "Serving reads features that are days old"
    story = "A cache in front of the feature store has lost its expiry. Every value is right, for last Tuesday."
    sources = ("https://developers.google.com/machine-learning/guides/rules-of-ml/", "https://github.com/airbnb/chronon/pull/870")
    group = "freshness"
    evidence = "A"
    moves = NAMES
    seen_by = ("distribution", "parity", "ranking")
    parameter = "days, up to 3"
    value_name, unit, worst = "age", "d", WORST_DAYS
    tries = (1, 2, 3, 4, 5, 7)
    fix = "Give cached features a time to live, and serve their age with them"

    def clock(self, as_of_ms: int) -> int:
        """Answer as of the midnight that many days back; at severity 0 as of now."""
        days = round(self.value)
        return floor_day(as_of_ms) - days * DAY_MS if days else as_of_ms
