"""A live member of the consumer group: polls, steps, relays, and only then commits to Kafka.

1. A listener notes which partitions came and went; nothing blocking happens inside it. Those that came wait, paused.
2. Behind the poll: partitions that went are given up, those that came are taken over and sought to the store's offset.
3. Records are fed; each step is in the store before the next. A partition from which the member was fenced off is given up, and
   taken back a heartbeat later where the group still says that it is this member's.
4. Now and then the outbox goes to Kafka, and the offsets do: a courtesy, for whoever looks at lag. The truth is in the store.

2 to 4 are done in a second thread, one thing at a time but for the steps of different partitions. Where one takes long (a
snapshot, a rebuild), this thread polls on with all partitions paused, so the group neither takes the member for dead nor waits
for it, and no records pile up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata
from kafka.errors import KafkaError, OffsetOutOfRangeError

from contract.errors import InfrastructureError
from contract.skew import RawRecord
from streaming.group import TIMING, Changes, Timing, at, join
from streaming.kafka_log import FETCH_RECORDS, PATIENCE_MS, told
from streaming.log import Log
from streaming.member import Member
from streaming.metrics import LiveMetrics
from streaming.outage import Outage
from streaming.patience import PAUSE_S, POLL_MS, Patience
from streaming.reach import take_over
from streaming.relay import relay
from streaming.store import Fenced, Store

AGAIN_MS = 10
"""How long a fetch that finds something may take: a lone click is kept waiting for so long."""
COURTESY_S = 1.0
"""How often offsets are committed to Kafka, and lag is told."""
AT_ONCE = 2
"""So many partitions are stepped at a time: while the store writes one's step, another's is computed."""
RELAY_S = 0.25
"""How long the outbox may wait while records keep coming: each relay waits for Kafka, and its readers are no listeners."""
QUIET_S = 5.0
"""After so long without a record Kafka is asked whether it is there at all."""
GOODBYE_MS = 5_000

_log = logging.getLogger(__name__)


def consume(
    member: Member,
    store: Store,
    log: Log,
    bootstrap: str,
    stop: threading.Event,
    *,
    metrics: LiveMetrics | None = None,
    tell: Callable[[str], None] = _log.warning,
    timing: Timing = TIMING,
) -> None:
    """Consume until ``stop`` is set; finish the step in hand then, relay, commit and leave the group.

    ``tell`` gets a line where partitions came or went, a write was refused, a server was away, a state was rebuilt.

    Raises:
        InfrastructureError: Kafka or Redis refuses or stays away, or records are in neither Kafka nor the lake.
    """
    metrics = metrics or LiveMetrics()
    with told(bootstrap), ThreadPoolExecutor(1, "turn") as worker, ThreadPoolExecutor(AT_ONCE, "step") as steppers:
        consumer, changes = join(bootstrap, timing)
        outage = Outage(timing.outage_s, tell, metrics.outages.inc)
        one = _Consuming(member, store, log, consumer, changes, stop, metrics, tell, timing, worker, steppers)
        try:
            while not stop.is_set():
                try:
                    with told(bootstrap):
                        one.turn()
                except InfrastructureError as error:
                    outage.bear(error)
                    stop.wait(PAUSE_S)
                else:
                    outage.over()
            one.goodbye()
        finally:
            consumer.close(autocommit=False)


@dataclass
class _Consuming:
    """``next``: for each partition that was taken over and sought, the offset behind the last record that was fed."""

    member: Member
    store: Store
    log: Log
    consumer: KafkaConsumer
    changes: Changes
    stop: threading.Event
    metrics: LiveMetrics
    tell: Callable[[str], None]
    timing: Timing
    worker: ThreadPoolExecutor
    steppers: ThreadPoolExecutor
    next: dict[int, int] = field(default_factory=dict)
    refused: dict[int, float] = field(default_factory=dict)
    """Until when (monotonic s) a partition is not taken back."""
    unsent: set[int] = field(default_factory=set)
    """Partitions whose outbox may hold something."""
    relay_at: float = 0.0
    courtesy_at: float = 0.0
    heard_at: float = field(default_factory=time.monotonic)
    _had: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._patience = Patience(self.consumer, self.worker, self.timing.long_step_s, self.next)

    def turn(self) -> None:
        """Poll once and do all that follows from it."""
        found = self._poll()
        fresh = self._settle()  # what came of these was polled before they were sought: it is read again
        come = {place.partition: records for place, records in found.items() if place.partition not in fresh}
        batches = {p: new for p, records in come.items() if (new := self._new(p, records))}
        if found:
            self.heard_at = time.monotonic()
        else:
            self._listen()
        if batches or self.unsent:
            self._work(batches)
        self._courtesies()

    def goodbye(self) -> None:
        """Relay and commit what was done; closing the consumer then leaves the group."""
        relay(self.store, self.log, sorted(self.unsent & set(self.member.owned())))
        with suppress(KafkaError):
            self.consumer.commit(self._positions(), timeout_ms=GOODBYE_MS)

    def _poll(self) -> dict[Any, list[Any]]:
        """Return what waits, up to the most of one fetch.

        The client asks Kafka for more as it hands something over, so what it has at once was asked for before the last turn's
        work. It is asked again, else all that came meanwhile would wait for another turn.
        """
        found = self._polled(POLL_MS, FETCH_RECORDS)
        room = FETCH_RECORDS - sum(map(len, found.values()))
        if found and room > 0:
            for place, records in self._polled(AGAIN_MS, room).items():
                found.setdefault(place, []).extend(records)
        return found

    def _polled(self, timeout_ms: int, most: int) -> dict[Any, list[Any]]:
        try:
            return dict(self.consumer.poll(timeout_ms=timeout_ms, max_records=most))
        except OffsetOutOfRangeError as error:  # Kafka deleted faster than this member read: as if they came anew
            self.changes.changed |= {place.partition for place in error.args[0]}
            return {}

    def _settle(self) -> set[int]:
        """Give up what went, hold what was lost, take over what came; return the partitions that were taken over just now."""
        self._count_rebalances()
        for partition in self.changes.taken():
            self.member.give_up(partition)
            self.refused.pop(partition, None)
        assigned = {place.partition for place in self.consumer.assignment()}
        for partition in set(self.next) - set(self.member.owned()):
            del self.next[partition]
            if partition in assigned:
                self.consumer.pause(at(partition))
        kept = set(self.next)
        self._take_all([p for p in sorted(assigned - self.next.keys()) if time.monotonic() >= self.refused.get(p, 0)])
        if (has := sorted(self.next)) != self._had:
            self._had = has
            self.tell(f"Has {'partitions ' + ', '.join(map(str, has)) if has else 'no partition'}.")
        return self.next.keys() - kept

    def _count_rebalances(self) -> None:
        self.metrics.rebalances.inc(self.changes.rebalances)
        self.changes.rebalances = 0

    def _take_all(self, partitions: list[int]) -> None:
        """Take partitions over and read on where the store stands."""
        if partitions:
            places = [at(partition) for partition in partitions]
            first, end = self.consumer.beginning_offsets(places), self.consumer.end_offsets(places)
        for partition in partitions:
            if not self.stop.is_set():
                self._take(partition, first[at(partition)], end[at(partition)])

    def _take(self, partition: int, first: int, end: int) -> None:
        began = time.perf_counter()
        try:
            offset = self._reached(partition, first, end)
        except Fenced as error:
            self._refuse(partition, error)
            return
        except BaseException:
            self.member.give_up(partition)  # it may be there in part
            raise
        self.metrics.took_over(time.perf_counter() - began)
        if partition not in self.changes.changed and at(partition) in self.consumer.assignment():
            self.next[partition] = offset
            self.unsent.add(partition)  # what a predecessor left
            self.consumer.seek(at(partition), offset)
            self.consumer.resume(at(partition))

    def _reached(self, partition: int, first: int, end: int) -> int:
        """Take over a partition whose log is ``[first, end)``; where that was refused and the log has grown, once more."""
        try:
            return self._patience.do(lambda: take_over(self.member, self, partition, first, end))
        except InfrastructureError:
            now = self.consumer.end_offsets([at(partition)])[at(partition)]
            if now == end:
                raise
            return self._patience.do(lambda: take_over(self.member, self, partition, first, now))

    def clear(self, partition: int) -> None:
        """Forget a partition in the store: Kafka holds its next offset no more, so it is made anew from the lake."""
        self.tell(f"Kafka does not hold the next offset of partition {partition} any more: rebuilt from the lake.")
        self.metrics.rebuilds.inc()
        self.store.clear(partition)

    def _new(self, partition: int, records: Sequence[Any]) -> Sequence[Any]:
        """Return the records that are to be fed: none of a partition that is not held, none that was fed already."""
        if partition not in self.next:
            return ()
        expected = self.next[partition]
        if records[0].offset >= expected:
            return records
        new = [record for record in records if record.offset >= expected]
        self.metrics.redeliveries.inc(len(records) - len(new))
        return new

    def _work(self, batches: dict[int, Sequence[Any]]) -> None:
        """Feed and relay; where a batch was not taken whole, read again from where it was left."""
        try:
            self._patience.do(lambda: self._feed_and_relay(batches))
        finally:
            for partition, records in batches.items():
                left = self.next.get(partition)
                if left is not None and left <= records[-1].offset and at(partition) in self.consumer.assignment():
                    self.consumer.seek(at(partition), left)

    def _feed_and_relay(self, batches: dict[int, Sequence[Any]]) -> None:
        feeding = [self.steppers.submit(self._feed, partition, records) for partition, records in batches.items()]
        wait(feeding)
        for one in feeding:
            one.result()
        if not batches or time.monotonic() >= self.relay_at:
            self._relay()

    def _feed(self, partition: int, records: Sequence[Any]) -> None:
        try:
            for piece in _pieces(records):
                if self.stop.is_set():
                    break
                self._step(partition, piece)
        except Fenced as error:
            self._refuse(partition, error)

    def _relay(self) -> None:
        self.unsent &= set(self.member.owned())
        self.metrics.published.inc(relay(self.store, self.log, sorted(self.unsent)))
        self.unsent.clear()
        self.relay_at = time.monotonic() + RELAY_S

    def _step(self, partition: int, records: Sequence[Any]) -> None:
        began = time.perf_counter()
        steps = self.member.feed(partition, [RawRecord(record.offset, record.key, record.value) for record in records])
        self.next[partition] = records[-1].offset + 1
        self.unsent.add(partition)
        self.metrics.stepped(steps, len(records), time.perf_counter() - began, records[0].timestamp)

    def _refuse(self, partition: int, error: Fenced) -> None:
        """Give up a partition that another member took, which Kafka may not have told yet."""
        self.tell(f"A write was refused. {error}")
        self.metrics.fenced.inc()
        self.member.give_up(partition)
        self.refused[partition] = time.monotonic() + 1.5 * self.timing.heartbeat_ms / 1000

    def _listen(self) -> None:
        """Make sure that Kafka is there where it has been quiet; a consumer's poll would never say."""
        if time.monotonic() - self.heard_at > QUIET_S:
            self.consumer.end_offsets(list(self.consumer.assignment()) or [at(0)], timeout_ms=PATIENCE_MS)
            self.heard_at = time.monotonic()

    def _courtesies(self) -> None:
        """Tell Kafka and Prometheus where the partitions stand, not more often than is of use."""
        now = time.monotonic()
        if now < self.courtesy_at:
            return
        self.courtesy_at = now + COURTESY_S
        with suppress(KafkaError):
            self.consumer.commit_async(self._positions())
        ends = {p: self.consumer.highwater(at(p)) for p in self.next if at(p) in self.consumer.assignment()}
        self.metrics.stands({p: max(end - self.next[p], 0) for p, end in ends.items() if end is not None})

    def _positions(self) -> dict[Any, OffsetAndMetadata]:
        owned = set(self.member.owned())
        return {at(p): OffsetAndMetadata(self.member.position(p), "", -1) for p in self.next if p in owned}


def _pieces(records: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut records before and behind those without key: control records, which are steps of their own anyway."""
    keys, start = [record.key for record in records], 0
    for i in [i for i, key in enumerate(keys) if key is None] if None in keys else ():
        if i > start:
            yield records[start:i]
        yield records[i : i + 1]
        start = i + 1
    if start < len(records):
        yield records[start:]
