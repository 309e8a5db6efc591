"""The log in Kafka: one producer, one consumer without a group; the caller says from where it reads."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError, TopicAlreadyExistsError

from contract.errors import InfrastructureError
from contract.keys import TOPICS
from contract.skew import RawRecord
from streaming.log import Message

PATIENCE_MS = 10_000
"""How long a broker may be away before the program gives up with one line."""
FETCH_RECORDS = 5_000
EMPTY_POLL_MS = 200
CLIENT = {"bootstrap_timeout_ms": PATIENCE_MS, "request_timeout_ms": PATIENCE_MS, "reconnect_backoff_max_ms": 1_000}
"""What all clients are told; a broker that comes back is found within a second, and not within half a minute."""


class KafkaLog:
    """See ``streaming.log.Log``. Not to be shared between threads."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what goes wrong is told once, in one line, by ``told``
        self._partitions = partitions
        self._at: dict[TopicPartition, int] = {}
        with told(bootstrap):
            self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5, batch_size=1 << 18, **CLIENT)
            self._consumers: dict[str, KafkaConsumer] = {}
        self._bootstrap = bootstrap

    def append(self, topic: str, messages: Iterable[Message]) -> None:
        """See ``Log.append``."""
        with told(self._bootstrap):
            sent = [self._producer.send(topic, value, key, partition=partition) for partition, key, value in messages]
            self._producer.flush(timeout=PATIENCE_MS / 1000 * 3)
            for future in sent:
                future.get(timeout=PATIENCE_MS / 1000)

    def read(self, topic: str, positions: Mapping[int, int]) -> dict[int, list[RawRecord]]:
        """See ``Log.read``."""
        with told(self._bootstrap):
            consumer = self._consumer(topic)
            wanted = {TopicPartition(topic, partition): at for partition, at in positions.items()}
            if set(wanted) != consumer.assignment():
                consumer.assign(list(wanted))
                self._at = {place: at for place, at in self._at.items() if place.topic != topic}
            for place, at in wanted.items():
                if self._at.get(place) != at:
                    consumer.seek(place, at)
                    self._at[place] = at
            return self._poll(consumer, wanted)

    def _poll(self, consumer: KafkaConsumer, wanted: dict[TopicPartition, int]) -> dict[int, list[RawRecord]]:
        """Poll until something comes or all partitions are at their end; where they are already, nothing is waited for."""
        ends: dict[TopicPartition, int] | None = None
        if all(at == consumer.highwater(place) for place, at in wanted.items()):  # as far as the last fetch could tell
            ends = consumer.end_offsets(list(wanted))
            if all(at >= ends[place] for place, at in wanted.items()):
                return {}
        while True:
            try:
                found = consumer.poll(timeout_ms=EMPTY_POLL_MS, max_records=FETCH_RECORDS)
            except OffsetOutOfRangeError as error:
                raise _gone(error) from error
            if found:
                for place, records in found.items():
                    self._at[place] = records[-1].offset + 1
                return {
                    place.partition: [RawRecord(record.offset, record.key, record.value) for record in records]
                    for place, records in found.items()
                }
            ends = ends or consumer.end_offsets(list(wanted))
            if all(at >= ends[place] for place, at in wanted.items()):
                return {}

    def ends(self, topic: str) -> dict[int, int]:
        """See ``Log.ends``."""
        with told(self._bootstrap):
            places = [TopicPartition(topic, partition) for partition in range(self._partitions)]
            return {place.partition: end for place, end in self._consumer(topic).end_offsets(places).items()}

    def close(self) -> None:
        """Close the clients."""
        self._producer.close(timeout=5)
        for consumer in self._consumers.values():
            consumer.close()

    def _consumer(self, topic: str) -> KafkaConsumer:
        if topic not in self._consumers:
            self._consumers[topic] = KafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="none",  # an offset that Kafka does not hold is an error, never a jump
                fetch_max_wait_ms=50,
                max_partition_fetch_bytes=1 << 22,
                **CLIENT,
            )
        return self._consumers[topic]


def _gone(error: OffsetOutOfRangeError) -> InfrastructureError:
    places = ", ".join(f"offset {at} of partition {place.partition} of '{place.topic}'" for place, at in error.args[0].items())
    return InfrastructureError(
        f"Kafka does not hold {places}",
        "its log begins behind it, or ends before",
        "Use the Kafka that belongs to this home; where it deleted records that no lake has, begin another home and stack",
    )


def create_topics(bootstrap: str, partitions: int) -> None:
    """Make all topics that are not there.

    Raises:
        InfrastructureError: Kafka is away, or a topic has another partition count.
    """
    with told(bootstrap):
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, **CLIENT)
        try:
            there = {
                topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(list(TOPICS)) if topic["partitions"]
            }
            missing = [topic for topic in TOPICS if topic not in there]
            if missing:
                options = {"num_partitions": partitions, "replication_factor": 1}
                with suppress(TopicAlreadyExistsError):  # another member was faster
                    admin.create_topics(dict.fromkeys(missing, options), wait_for_metadata=True)
        finally:
            admin.close()
    for topic, count in there.items():
        if count != partitions:
            raise InfrastructureError(
                f"Topic '{topic}' has {count} partitions, not {partitions}",
                "the count is fixed for the life of a lake",
                f"Set SKEWLAB_PARTITIONS={count}, or use another Kafka",
            )


@contextmanager
def told(bootstrap: str) -> Iterator[None]:
    """Turn a Kafka that is away or refuses into one line."""
    try:
        yield
    except KafkaError as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InfrastructureError(f"Kafka at {bootstrap} did not do what it was asked", why, "See 'skewlab doctor'") from error
