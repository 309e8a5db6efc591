"""Clients whose events nobody can read."""

from __future__ import annotations

from contract.event import Events
from contract.features import NAMES
from contract.skew import Skew

WORST_SHARE = 0.08
"""The share of clients that are lost at severity 1: about what one partition of twelve holds."""


class DroppedPoison(Skew):
    """The live path skips all events of some clients. It counts no error, so a share of bad records does not rise."""

    id = "dropped-poison"
    title = "Events of some clients are skipped"
    story = (
        "One client release writes a field that the stream's decoder chokes on, and the consumer was told to go on whatever "
        "happens. The nightly import reads the same bytes with a newer schema."
    )
    sources = (
        "https://neo4j.com/docs/kafka/current/sink/error-handling",
        "https://developers.google.com/machine-learning/guides/rules-of-ml/",
    )
    group = "volume"
    evidence = "A"
    moves = NAMES
    parameter = "share of clients, up to 8 %"
    spread = WORST_SHARE
    fix = "Send what cannot be read to a dead-letter topic, and compare the counts of both paths by the hour"

    def event(self, events: Events, partition: int) -> Events:
        """Skip the clients that are hit."""
        return events.take(~self.hit(events.user_id))
