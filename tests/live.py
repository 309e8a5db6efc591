"""Live members over real servers: one in a thread of a test, a log that is sent in parts, where the store stands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from contract.errors import SkewlabError
from contract.home import Home
from contract.keys import EVENTS, key
from streaming.consumer import consume
from streaming.group import TIMING, Timing
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.metrics import LiveMetrics
from streaming.redis_store import RedisStore, connect
from streaming.step import Step
from tests.logs import listeners_of, one_log, written
from tests.servers import Servers
from tests.toylake import ToyLog, encoded
from tests.waiting import until

PARTITIONS = 4


@dataclass
class Running:
    """A member in a thread; ``error`` is what ended it, if it was not asked to end; ``lines`` is what it told."""

    member: Member
    metrics: LiveMetrics = field(default_factory=LiveMetrics)
    stop: threading.Event = field(default_factory=threading.Event)
    error: list[BaseException] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@contextmanager
def running(
    stack: Servers, home: Home, timing: Timing = TIMING, store_of: Callable[..., RedisStore] = RedisStore
) -> Iterator[Running]:
    client, log = connect(stack.redis), KafkaLog(stack.kafka, PARTITIONS)
    store = store_of(client)
    one = Running(Member(home, store, PARTITIONS, None))

    def run() -> None:
        try:
            consume(one.member, store, log, stack.kafka, one.stop, metrics=one.metrics, tell=one.lines.append, timing=timing)
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


def stands(stack: Servers) -> dict[int, int]:
    """Where each partition's stored offset is."""
    client = connect(stack.redis)
    try:
        found = {p: client.hget(key(p, "meta"), "offset") for p in range(PARTITIONS)}
        return {p: int(offset) for p, offset in found.items() if offset is not None}  # type: ignore[arg-type]
    finally:
        client.close()


@dataclass
class InParts:
    """A toy log that is sent in so many parts; ``ends`` is where each partition ends behind each part."""

    stack: Servers
    parts: int
    toy: ToyLog = field(
        default_factory=lambda: written(
            [one_log(f"live/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20] * PARTITIONS
        )
    )

    def send(self, part: int) -> None:
        log = KafkaLog(self.stack.kafka, PARTITIONS)
        before, end = self._end(part - 1), self._end(part)
        log.append(EVENTS, [(p, r.key, r.value or b"") for p, rs in self.toy.records.items() for r in rs[before[p] : end[p]]])
        log.close()

    def consumed_to(self, part: int) -> None:
        """Wait until the store stands behind a part."""
        wait_until(lambda: stands(self.stack) == self._end(part))

    def _end(self, part: int) -> dict[int, int]:
        return {p: len(records) * (part + 1) // self.parts for p, records in self.toy.records.items()}

    def steps(self, home: Home) -> list[Step]:
        """Return the steps of one undisturbed member."""
        return [step for p in range(PARTITIONS) for step in self.toy.consume(self.toy.path(home, p))]

    def expected(self, home: Home) -> dict[int, object]:
        """Return the states of one undisturbed member."""
        paths = {p: self.toy.path(home, p) for p in range(PARTITIONS)}
        for path in paths.values():
            self.toy.consume(path)
        return {p: encoded(path.states) for p, path in paths.items()}

    def stored(self, home: Home) -> dict[int, object]:
        """Return the states that the store holds."""
        client = connect(self.stack.redis)
        member = Member(home, RedisStore(client), PARTITIONS, None)
        for partition in range(PARTITIONS):
            member.take_over(partition)
        found = {p: encoded(member._owned[p].path.states) for p in range(PARTITIONS)}
        client.close()
        return found
