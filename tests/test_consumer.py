"""Live members of the consumer group, on the real Kafka and Redis of both stacks: alone, two at once, and one after another."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from contract.event import Event
from contract.keys import DEAD_LETTERS, EVENTS
from contract.records import encode
from streaming.consumer import _pieces
from streaming.group import TIMING, Changes, Timing, at, join, positions
from streaming.kafka_log import FETCH_RECORDS, KafkaLog
from streaming.redis_store import RedisStore
from streaming.store import Write
from tests.live import PARTITIONS, InParts, running, stands, wait_until
from tests.logs import START_MS, home_of, listeners_of
from tests.servers import Servers, emptied
from tests.toylake import event

LONG_MS = 2_000


@pytest.fixture
def stack(servers: Servers) -> Servers:
    return emptied(servers, PARTITIONS)


def test_members_come_and_go_and_the_state_is_as_if_there_had_been_one(stack: Servers, tmp_path: Path) -> None:
    sent = InParts(stack, 3)
    home, _ = home_of(tmp_path / "home")
    with running(stack, home) as first:
        sent.send(0)
        sent.consumed_to(0)
        assert first.member.owned() == list(range(PARTITIONS))
        with running(stack, home) as second:
            wait_until(lambda: len(second.member.owned()) == PARTITIONS // 2 == len(first.member.owned()))
            sent.send(1)
            sent.consumed_to(1)
        wait_until(lambda: first.member.owned() == list(range(PARTITIONS)))
    assert positions(stack.kafka) == stands(stack)
    sent.send(2)
    with running(stack, home):
        sent.consumed_to(2)
    assert sent.stored(home) == sent.expected(home)
    assert dead_letters(stack) == sum(len(step.dead) for step in sent.steps(home)) > 0


def test_a_member_knows_the_partitions_before_it_joins(stack: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the first of its group it deals them out, and kafka-python may lose what comes of dealing out none."""
    consumer, _ = join(stack.kafka, TIMING)
    monkeypatch.setattr(consumer, "_fetch_all_topic_metadata", lambda: None)  # what is not known now stays so
    assert consumer.partitions_for_topic(EVENTS) == set(range(PARTITIONS))
    consumer.close(autocommit=False)


def test_a_partition_that_does_not_move_is_not_read_again(stack: Servers, tmp_path: Path) -> None:
    home, _ = home_of(tmp_path / "home")
    with running(stack, home) as first:
        wait_until(lambda: len(first.member.owned()) == PARTITIONS)
        with running(stack, home) as second:
            wait_until(lambda: len(second.member.owned()) == PARTITIONS // 2)
        wait_until(lambda: len(first.member.owned()) == PARTITIONS)
        assert takeovers(first.metrics.registry) == PARTITIONS + PARTITIONS // 2


def test_the_group_goes_on_beside_a_step_that_takes_longer_than_the_poll_interval(stack: Servers, tmp_path: Path) -> None:
    sent = InParts(stack, 1)
    home, _ = home_of(tmp_path / "home")
    entered, held = threading.Event(), threading.Event()

    class Slow(RedisStore):
        def commit(self, partition: int, epoch: int, write: Write) -> None:
            if write.meta.offset > 0:
                entered.set()
                assert held.wait(60)
            super().commit(partition, epoch, write)

    with running(stack, home, Timing(poll_interval_ms=LONG_MS, long_step_s=0.1), Slow) as first:
        wait_until(lambda: len(first.member.owned()) == PARTITIONS)
        sent.send(0)
        assert entered.wait(30)
        began = time.monotonic()
        try:
            with running(stack, home) as second:  # the group forms anew only if the first one answers, step or no step
                wait_until(lambda: len(second.member.owned()) == PARTITIONS // 2)
            wait_until(lambda: time.monotonic() - began > LONG_MS / 1000)
        finally:
            held.set()
        sent.consumed_to(0)
    assert sent.stored(home) == sent.expected(home)


def test_a_backlog_is_taken_in_bounded_pieces(stack: Servers, tmp_path: Path) -> None:
    home, _ = home_of(tmp_path / "home")
    (user, *_), count = listeners_of(0, PARTITIONS), 2 * FETCH_RECORDS + 7
    log = KafkaLog(stack.kafka, PARTITIONS)
    log.append(EVENTS, ((0, user.encode(), encode(numbered(user, i))) for i in range(count)))
    log.close()
    sizes: list[int] = []

    class Watched(RedisStore):
        def commit(self, partition: int, epoch: int, write: Write) -> None:
            sizes.append(write.meta.offset - write.first)
            super().commit(partition, epoch, write)

    with running(stack, home, store_of=Watched):
        wait_until(lambda: stands(stack).get(0) == count)
    assert sum(sizes) == count
    assert max(sizes) <= FETCH_RECORDS


def test_a_member_that_the_group_gave_up_claims_nothing_when_it_joins_again() -> None:
    changes = Changes()
    changes.assignor.member_assignment = [at(0), at(1)]
    changes.on_partitions_lost([at(0), at(1)])
    assert changes.assignor.metadata([EVENTS]).owned_partitions == []
    assert changes.taken() == {0, 1}
    assert changes.taken() == set()


@pytest.mark.parametrize(
    ("keys", "lengths"),
    [("", []), ("aaa", [3]), ("-", [1]), ("aa-a", [2, 1, 1]), ("--a", [1, 1, 1]), ("a-", [1, 1])],
)
def test_a_record_without_key_is_a_piece_of_its_own(keys: str, lengths: list[int]) -> None:
    class Record:
        def __init__(self, key: str) -> None:
            self.key = None if key == "-" else key.encode()

    assert [len(piece) for piece in _pieces([Record(key) for key in keys])] == lengths


def numbered(user: str, number: int) -> Event:
    return event(user, "song-a", START_MS + number)


def dead_letters(stack: Servers) -> int:
    log = KafkaLog(stack.kafka, PARTITIONS)
    try:
        return sum(log.ends(DEAD_LETTERS).values())
    finally:
        log.close()


def takeovers(registry: object) -> float | None:
    return registry.get_sample_value("skewlab_stream_takeover_seconds_count")  # type: ignore[attr-defined]
