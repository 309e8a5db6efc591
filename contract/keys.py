"""Names on the wire: topics and Redis keys.

A key carries its partition as hash tag, ``{p3}:…``, so that one step touches one slot of a Redis Cluster.
"""

from __future__ import annotations

EVENTS = "listening-events"
IMPRESSIONS = "impressions"
SERVED = "served-features"
DEAD_LETTERS = "dead-letters"
TOPICS = (EVENTS, IMPRESSIONS, SERVED, DEAD_LETTERS)
CONSUMER_GROUP = "skewlab-stream"


def key(partition: int, name: str) -> str:
    """Return the Redis key of a partition's ``name``: meta, items, state, rows or outbox."""
    return f"{{p{partition}}}:{name}"
