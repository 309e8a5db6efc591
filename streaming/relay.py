"""The relay: what steps left in the outbox goes to Kafka, and is removed once Kafka has acknowledged it.

It may send an entry twice (it died between the acknowledgement and the removal), never none: readers drop repeats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from streaming.log import Log, Message
from streaming.outbox import topic_of
from streaming.store import Store

BATCH = 500
"""Entries of one partition that are taken at once."""


def relay(store: Store, log: Log, partitions: Iterable[int]) -> int:
    """Publish all that waits, each entry to its topic and in its partition's order; return how many entries.

    Raises:
        InfrastructureError: Kafka or Redis is away; what was not acknowledged stays in the outbox.
    """
    sent, waiting = 0, list(partitions)
    while found := {p: entries for p in waiting if (entries := store.outbox(p, BATCH))}:
        topics: dict[str, list[Message]] = defaultdict(list)
        for partition, entries in found.items():
            for _, entry in entries:
                topic, value = topic_of(entry)
                topics[topic].append((partition, None, value))
        for topic, messages in topics.items():  # one acknowledgement is waited for, not one a partition
            log.append(topic, messages)
        for partition, entries in found.items():
            store.published(partition, [name for name, _ in entries])
            sent += len(entries)
        waiting = [partition for partition, entries in found.items() if len(entries) == BATCH]
    return sent
