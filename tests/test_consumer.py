"""Live members of the consumer group, on the real Kafka and Redis: alone, two at once, and one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract.errors import SkewlabError
from contract.home import Home
from contract.keys import DEAD_LETTERS, EVENTS, key
from lab.stack.embedded import Embedded, open_embedded
from streaming.consumer import consume
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.step import PartitionPath
from tests.logs import home_of, listeners_of, one_log, written
from tests.toylake import ToyLog, encoded
from tests.waiting import until

pytestmark = pytest.mark.stack
PARTITIONS = 4


@dataclass
class Running:
    """A member in a thread; ``error`` is what ended it, if it was not asked to end."""

    member: Member
    stop: threading.Event = field(default_factory=threading.Event)
    error: list[BaseException] = field(default_factory=list)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Embedded]:
    found = open_embedded(tmp_path / "stack", PARTITIONS)
    yield found
    found.stop()


@contextmanager
def running(stack: Embedded, home: Home) -> Iterator[Running]:
    client, log = connect(stack.redis), KafkaLog(stack.kafka, PARTITIONS)
    store = RedisStore(client)
    one = Running(Member(home, store, PARTITIONS, None))

    def run() -> None:
        try:
            consume(one.member, store, log, stack.kafka, one.stop)
        except BaseException as error:
            one.error.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield one
    finally:
        one.stop.set()
        thread.join(30)
        log.close()
        client.close()
        assert not one.error


def wait_until(asked: Callable[[], bool]) -> None:
    def ask() -> None:
        if not asked():
            raise SkewlabError("not yet")

    until(ask, 60)


def stands(stack: Embedded) -> dict[int, int]:
    """Where each partition's stored offset is."""
    client = connect(stack.redis)
    try:
        found = {p: client.hget(key(p, "meta"), "offset") for p in range(PARTITIONS)}
        return {p: int(offset) for p, offset in found.items() if offset is not None}  # type: ignore[arg-type]
    finally:
        client.close()


def test_members_come_and_go_and_the_state_is_as_if_there_had_been_one(stack: Embedded, tmp_path: Path) -> None:
    toy = written([one_log(f"live/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20] * PARTITIONS)
    home, _ = home_of(tmp_path / "home")
    log = KafkaLog(stack.kafka, PARTITIONS)
    thirds = [
        {p: records[len(records) * i // 3 : len(records) * (i + 1) // 3] for p, records in toy.records.items()} for i in range(3)
    ]
    ends = [{p: sum(len(third[p]) for third in thirds[: i + 1]) for p in range(PARTITIONS)} for i in range(3)]

    def send(third: int) -> None:
        log.append(EVENTS, [(p, r.key, r.value or b"") for p, records in thirds[third].items() for r in records])

    with running(stack, home) as first:
        send(0)
        wait_until(lambda: stands(stack) == ends[0])
        assert first.member.owned() == list(range(PARTITIONS))
        with running(stack, home) as second:
            wait_until(lambda: len(second.member.owned()) == PARTITIONS // 2 == len(first.member.owned()))
            send(1)
            wait_until(lambda: stands(stack) == ends[1])
        wait_until(lambda: first.member.owned() == list(range(PARTITIONS)))
    send(2)
    with running(stack, home):
        wait_until(lambda: stands(stack) == ends[2])
    assert states(stack, toy, home) == {p: encoded(consumed(toy, home, p).states) for p in range(PARTITIONS)}
    dead = sum(len(step.dead) for p in range(PARTITIONS) for step in toy.consume(toy.path(home, p)))
    assert sum(log.ends(DEAD_LETTERS).values()) == dead > 0
    log.close()


def consumed(toy: ToyLog, home: Home, partition: int) -> PartitionPath:
    path = toy.path(home, partition)
    toy.consume(path)
    return path


def states(stack: Embedded, toy: ToyLog, home: Home) -> dict[int, object]:
    client = connect(stack.redis)
    member = Member(home, RedisStore(client), PARTITIONS, None)
    for partition in range(PARTITIONS):
        member.take_over(partition)
    found = {p: encoded(member._owned[p].path.states) for p in range(PARTITIONS)}
    client.close()
    return found
