"""A client release that sends seconds where milliseconds are agreed."""

from __future__ import annotations

import numpy as np

from contract.event import Events
from contract.skew import Skew

WORST_SHARE = 0.05
"""The share of clients with the broken release at severity 1."""


class SecondsForMilliseconds(Skew):
    """``ms_played`` a thousand times too small for a share of clients; the batch import repairs it, the live path does not."""

    id = "seconds-for-milliseconds"
    title = "Some clients send seconds for milliseconds"
    story = "One client release reports seconds. The nightly import has a repair rule for it, the live path was written later."
    sources = ("https://github.com/nttcslab/msm-mae/issues/2", "https://github.com/elastic/rally/issues/79")
    group = "values"
    evidence = "A"
    moves = (
        "plays_24h", "plays_7d", "plays_yesterday", "active_days_28d", "skip_rate_28d", "replay_rate_28d", "listen_minutes_28d",
        "completion_28d", "distinct_items_28d", "decayed_plays", "sessions_7d", "session_minutes_7d", "podcast_share_28d",
        "podcast_completion_28d", "show_completion_28d", "top_genre", "top_genre_affinity", "genre_affinity", "user_vector",
    )  # fmt: skip
    parameter = "share of clients, up to 5 %"
    spread = WORST_SHARE
    fix = "Repair the unit once, at the collector, for both paths"

    def event(self, events: Events, partition: int) -> Events:
        """Divide what the clients with that release played."""
        hit = self.hit(events.user_id)
        return events.replace(ms_played=np.where(hit, events.ms_played // 1000, events.ms_played))
