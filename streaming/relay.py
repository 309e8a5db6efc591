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


def relay(store: Store, log: Log, partitions: Iterable[int]) -> int:
    """Publish all that waits, each entry to its topic and in its partition's order; return how many entries."""
    sent = 0
    for partition in partitions:
        while entries := store.outbox(partition, BATCH):
            topics: dict[str, list[Message]] = defaultdict(list)
            for _, entry in entries:
                topic, value = topic_of(entry)
                topics[topic].append((partition, None, value))
            for topic, messages in topics.items():
                log.append(topic, messages)
            store.published(partition, [name for name, _ in entries])
            sent += len(entries)
    return sent
