"""Retries that are counted again."""

from __future__ import annotations

import numpy as np

from contract.event import Events
from contract.skew import Skew


class DuplicatesCounted(Skew):
    """The live path does not recognise a retry: at-least-once delivery counted as exactly once."""

    id = "duplicates-counted"
    title = "Retries are counted again"
    story = "The batch job drops duplicates by event id. The live path trusts that Kafka delivers each event once."
    sources = ("https://github.com/apache/druid/issues/2876", "https://conduktor.io/blog/building-idempotent-consumers")
    group = "volume"
    evidence = "A"
    moves = (
        "plays_24h", "plays_7d", "plays_yesterday", "skip_rate_28d", "replay_rate_28d", "listen_minutes_28d", "completion_28d",
        "decayed_plays", "night_share_28d", "phone_share_28d", "podcast_share_28d", "podcast_completion_28d",
        "show_completion_28d", "show_listens_28d",
    )  # fmt: skip
    parameter = "share of events whose id the live path does not look at"
    value_name = "share of events"
    fix = "Drop repeats of (user_id, event_id, ts_ms) before counting"

    def event(self, events: Events, partition: int) -> Events:
        """Give each event that is hit an id of its own place in the log."""
        hit = self.chance(partition, events.offset) < self.value
        own = np.array([f"{name}@{offset}" for name, offset in zip(events.event_id, events.offset, strict=True)], object)
        return events.replace(event_id=np.where(hit, own, events.event_id).astype(object))
