"""What every log must do: the one in memory, and the Kafka of both stacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, TopicPartition

from contract.errors import InfrastructureError
from contract.keys import EVENTS, SERVED
from streaming.kafka_log import KafkaLog, create_topics
from streaming.log import Log, MemoryLog
from tests.servers import BOTH_STACKS, Servers, emptied, servers_of

PARTITIONS = 3


@pytest.fixture
def stack(servers: Servers) -> Servers:
    return emptied(servers, PARTITIONS)


@pytest.fixture(params=["memory", *BOTH_STACKS])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    if request.param == "memory":
        yield MemoryLog(PARTITIONS)
        return
    found = KafkaLog(emptied(servers_of(request), PARTITIONS).kafka, PARTITIONS)
    yield found
    found.close()


def test_records_come_back_in_order_from_any_offset(log: Log) -> None:
    log.append(EVENTS, [(p, b"key", b"%d" % i) for i in range(100) for p in range(2)])
    assert log.ends(EVENTS) == {0: 100, 1: 100, 2: 0}
    found: dict[int, list[bytes | None]] = {0: [], 1: []}
    at = {0: 0, 1: 40}
    while records := log.read(EVENTS, at):
        for partition, batch in records.items():
            found[partition] += [record.value for record in batch]
            at[partition] = batch[-1].offset + 1
    assert found == {0: [b"%d" % i for i in range(100)], 1: [b"%d" % i for i in range(40, 100)]}
    assert [r.offset for r in log.read(EVENTS, {0: 97, 1: 100})[0]] == [97, 98, 99]


def test_an_empty_topic_gives_nothing(log: Log) -> None:
    assert log.read(SERVED, dict.fromkeys(range(PARTITIONS), 0)) == {}


def test_what_kafka_deleted_is_never_jumped_over(stack: Servers) -> None:
    log = KafkaLog(stack.kafka, PARTITIONS)
    log.append(EVENTS, [(0, b"key", b"%d" % i) for i in range(10)])
    admin = KafkaAdminClient(bootstrap_servers=stack.kafka)
    admin.delete_records({TopicPartition(EVENTS, 0): 4})
    admin.close()
    with pytest.raises(InfrastructureError, match=f"Kafka does not hold offset 2 of partition 0 of '{EVENTS}'"):
        log.read(EVENTS, {0: 2})
    assert [record.offset for record in log.read(EVENTS, {0: 4})[0]] == [4, 5, 6, 7, 8, 9]
    log.close()


def test_topics_are_made_once_and_keep_their_partitions(stack: Servers) -> None:
    create_topics(stack.kafka, PARTITIONS)
    with pytest.raises(InfrastructureError, match=f"has {PARTITIONS} partitions, not 5.*SKEWLAB_PARTITIONS={PARTITIONS}"):
        create_topics(stack.kafka, 5)
