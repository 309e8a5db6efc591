"""Events that are dated by their arrival."""

from __future__ import annotations

import numpy as np

from contract.event import Events
from contract.features import NAMES
from contract.skew import Skew


class EventVsProcessingTime(Skew):
    """The live path stamps events when they come: what a phone kept for a day happened just now.

    A retry comes at another time than its event, so it has another instant and is counted again.
    """

    id = "event-vs-processing-time"
    title = "Events happen when they arrive"
    story = (
        "The stream processor asks its own clock. Most events are a second old and nobody notices; a phone that was in a "
        "tunnel for a day hands in its whole day as one crowded minute."
    )
    sources = ("https://github.com/segmentio/segment-docs/pull/7645/files", "https://github.com/feast-dev/feast/issues/4133")
    group = "time"
    evidence = "A"
    moves = NAMES
    parameter = "share of listeners whose events are stamped on arrival"
    fix = "Carry ts_ms through the pipeline, and never ask a clock for when something happened"

    def event(self, events: Events, partition: int) -> Events:
        """Date the events of the listeners that are hit by when they were received."""
        return events.replace(ts_ms=np.where(self.hit(events.user_id), events.received_at_ms, events.ts_ms))
