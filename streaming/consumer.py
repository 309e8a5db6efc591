"""A live member of the consumer group: polls, steps, relays, and only then commits to Kafka.

1. A listener notes which partitions came and went; nothing blocking happens inside it.
2. Behind the poll: partitions that went are given up, those that came are taken over and sought to the store's offset.
3. Records are fed; each step is in the store before the next. A member that was fenced off gives the partition up.
4. The outbox goes to Kafka, then the offsets do: a courtesy, for whoever looks at lag. The truth is in the store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition

from contract.keys import CONSUMER_GROUP, EVENTS
from contract.skew import RawRecord
from streaming.kafka_log import CLIENT, FETCH_RECORDS, told
from streaming.log import Log
from streaming.member import Member
from streaming.relay import relay
from streaming.store import Fenced, Store

POLL_MS = 200
SESSION_MS = 10_000


@dataclass
class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """What a rebalance changed since it was last looked at."""

    came: set[int] = field(default_factory=set)
    went: set[int] = field(default_factory=set)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        gone = {place.partition for place in revoked}
        self.went |= gone
        self.came -= gone

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.came |= {place.partition for place in assigned}


def consume(member: Member, store: Store, log: Log, bootstrap: str, stop: threading.Event) -> None:
    """Consume until ``stop`` is set.

    Raises:
        InfrastructureError: Kafka or Redis is away.
    """
    with told(bootstrap):
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=CONSUMER_GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 4,
            **CLIENT,
        )
        changes = _Changes()
        consumer.subscribe([EVENTS], listener=changes)
        try:
            while not stop.is_set():
                found = consumer.poll(timeout_ms=POLL_MS, max_records=FETCH_RECORDS)
                fresh = _settle(member, consumer, changes)  # records of these were polled before the seek: read again
                batches = {place.partition: records for place, records in found.items() if place.partition not in fresh}
                _feed(member, consumer, {p: _raw(records) for p, records in batches.items() if p in member.owned()})
                relay(store, log, member.owned())
                if batches:
                    consumer.commit(
                        {_at(p): OffsetAndMetadata(member.position(p), "", -1) for p in batches if p in member.owned()}
                    )
        finally:
            consumer.close(autocommit=False)


def _settle(member: Member, consumer: KafkaConsumer, changes: _Changes) -> set[int]:
    came, went = changes.came, changes.went
    changes.came, changes.went = set(), set()
    for partition in went:
        member.give_up(partition)
    for partition in sorted(came):
        consumer.seek(_at(partition), member.take_over(partition))
    return came


def _feed(member: Member, consumer: KafkaConsumer, batches: dict[int, list[RawRecord]]) -> None:
    for partition, records in batches.items():
        try:
            member.feed(partition, records)
        except Fenced:
            if _at(partition) in consumer.assignment():  # still ours by Kafka: take it back where the store stands
                consumer.seek(_at(partition), member.take_over(partition))


def _raw(records: Iterable[object]) -> list[RawRecord]:
    return [RawRecord(record.offset, record.key, record.value) for record in records]  # type: ignore[attr-defined]


def _at(partition: int) -> TopicPartition:
    return TopicPartition(EVENTS, partition)
