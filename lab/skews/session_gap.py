"""Sessions that end sooner."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew
from contract.windows import MINUTE_MS


class SessionGap(Skew):
    """The live path ends a session after a shorter pause than the batch path does."""

    id = "session-gap"
    title = "A session ends after 20 minutes in serving, after 30 in training"
    story = (
        "Two analytics products cut the same clicks into different sessions, and each path copied another one. Sessions are "
        "more and shorter in serving, and what is listened to in them is the same."
    )
    sources = (
        "https://qvalento.com/articles/discrepancies-between-universal-analytics-ga4-bigquery/",
        "https://help.analyticsedge.com/article/google-analytics-vs-ga-4-sessions-spanning-midnight/",
    )
    group = "time"
    evidence = "A"
    moves = ("sessions_7d", "session_minutes_7d")
    seen_by = ("distribution", "parity")
    parameter = "the longest pause within a session, from 30 minutes down to 20"
    value_name, unit, harmless, worst = "gap", "min", 30, 20
    tries = (5, 10, 15, 20, 25, 45, 60)
    fix = "Take the gap from the registry: session_gap_ms, 30 minutes"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Exchange the gap."""
        return dataclasses.replace(constants, session_gap_ms=round(self.value * MINUTE_MS))
