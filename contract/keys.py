"""Names on the wire: topics and Redis keys.

A key carries its partition as hash tag, ``{p3}:…``, so that one step touches one slot of a Redis Cluster.

A published version has a *copy* in Redis: per partition a hash of ``copy_key``, a field a listener. ``COPIES`` is a hash of all
copies' labels by their names; ``CURRENT_COPY`` names the one that is served.
"""

from __future__ import annotations

EVENTS = "listening-events"
IMPRESSIONS = "impressions"
SERVED = "served-features"
DEAD_LETTERS = "dead-letters"
TOPICS = (EVENTS, IMPRESSIONS, SERVED, DEAD_LETTERS)
CONSUMER_GROUP = "skewlab-stream"


SHOWS, SONGS = RANKINGS = ("shows", "songs")
"""What the live path ranks for each listener, with every row: a sorted set each."""


def key(partition: int, name: str) -> str:
    """Return the Redis key of a partition's ``name``: meta, items, state, rows, outbox."""
    return f"{{p{partition}}}:{name}"


def ranking_key(partition: int, kind: str, user_id: str) -> str:
    """Return the Redis key of a listener's ranking of a kind; without a name it is how all of them begin."""
    return key(partition, f"{kind}:{user_id}")


def rec_id(partition: int, cut: int, user_id: str) -> str:
    """Return the name of what was recommended with a row: an event that it led to bears it."""
    return f"{partition}-{cut}-{user_id}"


COPIES = "{copies}:labels"
CURRENT_COPY = "{copies}:current"


def copy_key(partition: int, copy: str) -> str:
    """Return the Redis key of a partition's part of a copy."""
    return key(partition, f"recommendations:{copy}")
