"""What a record of the events topic is: an event, a control record, or a bad record with its reason.

One validator, run alike by the archiver and the consumer, from the record and the partition's clock before it; so both drop the
same records without a word between them.

Control records carry no event and no key. A *watermark* says that the collector is done with a midnight: it writes one to every
partition for every midnight, in order, none left out. An *activation* makes a published version the active one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from kafka.partitioner.default import murmur2

from contract.event import LAST_MS, Event
from contract.windows import DAY_MS, HOUR_MS

LATENESS_MS = 48 * HOUR_MS
"""How far behind or ahead of the partition's clock an event may be; also how long an event id is remembered."""


DEEPEST = 256
"""A record with more brackets is not read: a decoder's stack ends somewhere, and not at the same place for everybody."""


class Watermark(msgspec.Struct, frozen=True, tag="watermark", tag_field="control"):
    """All events that the collector got before midnight ``at_ms`` are above this record."""

    at_ms: int


class Activation(msgspec.Struct, frozen=True, tag="version", tag_field="control"):
    """From here on the published version of this name is used for features and scores."""

    version: str


Control = Watermark | Activation


class Rejection(msgspec.Struct, frozen=True):
    """A bad record: ``reason`` is one of ``REASONS``, ``detail`` says more."""

    reason: str
    detail: str


REASONS: Mapping[str, str] = {
    "not-json": "the value is no JSON document",
    "nested": f"more than {DEEPEST} brackets: no event is nested",
    "schema": "a field is missing, of the wrong type, out of its range or not among its values",
    "control": "a control record that says nothing known",
    "key": "the key is not the user id",
    "partition": "the record stands in another partition than its key's",
    "future": "it ended after it was received, or was received more than 48 h after the partition's clock",
    "too-late": "it ended more than 48 h before the partition's clock",
}

Record = Event | Control | Rejection


@dataclass
class PartitionClock:
    """How far a partition has come, from its records alone; the first record sets it, whatever it says.

    ``now_ms`` is the largest of the valid ``received_at_ms`` and the watermarks so far.
    """

    received_ms: int | None = None
    watermark_ms: int | None = None

    @property
    def now_ms(self) -> int | None:
        """The clock, or None before the first valid record."""
        known = [at for at in (self.received_ms, self.watermark_ms) if at is not None]
        return max(known, default=None)

    @property
    def as_of_ms(self) -> int:
        """The instant of the rows served now: behind everything received, never before the last watermark."""
        return max(0 if self.received_ms is None else self.received_ms + 1, self.watermark_ms or 0)

    def is_new(self, mark: Watermark) -> bool:
        """Tell whether this watermark is no repeat."""
        return self.watermark_ms is None or mark.at_ms > self.watermark_ms

    def advance(self, record: Record) -> None:
        """Move the clock past a record that was judged."""
        if isinstance(record, Event):
            if self.received_ms is None or record.received_at_ms > self.received_ms:
                self.received_ms = record.received_at_ms
        elif isinstance(record, Watermark) and self.is_new(record):
            self.watermark_ms = record.at_ms


@lru_cache(maxsize=1 << 20)
def partition_of(user_id: str, partitions: int) -> int:
    """Return the partition of a listener: Kafka's own murmur2 of the key, so that any producer's default agrees."""
    return int(murmur2(user_id.encode()) & 0x7FFFFFFF) % partitions


_events = msgspec.json.Decoder(Event)
_batches = msgspec.json.Decoder(list[Event])
_controls = msgspec.json.Decoder(Control)
encode = msgspec.json.encode
"""Write an event or a control record as the topic carries it."""


def judge(value: bytes | None, key: bytes | None, partition: int, partitions: int, clock: PartitionClock) -> Record:
    """Decide what a record is. The clock is the partition's before this record and is not moved."""
    if value is None:
        return Rejection("not-json", "the record has no value")
    if value.count(b"[") + value.count(b"{") > DEEPEST:
        return Rejection("nested", REASONS["nested"])
    try:
        if key is None:
            return _judge_control(_controls.decode(value))
        event = _events.decode(value)
    except msgspec.ValidationError as error:
        return Rejection("schema" if key is not None else "control", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("not-json", str(error))
    return _judge_event(event, key, partition, partitions, clock)


def _judge_control(control: Control) -> Record:
    if isinstance(control, Watermark) and (control.at_ms % DAY_MS or not 0 <= control.at_ms <= LAST_MS):
        return Rejection("control", f"the watermark {control.at_ms} is no midnight UTC")
    return control


def _judge_event(event: Event, key: bytes, partition: int, partitions: int, clock: PartitionClock) -> Event | Rejection:
    if key != event.user_id.encode():
        return Rejection("key", f"the key {key!r} is not the user id '{event.user_id}'")
    home = partition_of(event.user_id, partitions)
    if home != partition:
        return Rejection("partition", f"'{event.user_id}' belongs to partition {home}, not {partition}")
    if event.ts_ms > event.received_at_ms:
        return Rejection("future", "it ended after it was received")
    now = clock.now_ms
    if now is not None and event.received_at_ms > now + LATENESS_MS:
        return Rejection("future", f"received {event.received_at_ms - now} ms after the partition's clock")
    if now is not None and event.ts_ms < now - LATENESS_MS:
        return Rejection("too-late", f"ended {now - event.ts_ms} ms before the partition's clock")
    return event


def judge_all(
    keys: list[bytes | None], values: Sequence[bytes | None], partition: int, partitions: int, clock: PartitionClock
) -> list[Event] | None:
    """Judge records that all are good events, in one go, and move the clock past them; None where ``judge`` must look at each.

    The values are decoded as one list. Each of them has a single brace that opens, as its first byte; so the list has as many
    objects as there are values only if each value is one object: nothing can hide between two values.
    """
    if not values:
        return []
    if None in values or any(value[:1] != b"{" for value in values):  # type: ignore[index]
        return None
    together = b",".join(values)  # type: ignore[arg-type]
    if together.count(b"{") != len(values) or b"[" in together:
        return None
    try:
        events = _batches.decode(b"[%b]" % together)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if len(events) != len(values):
        return None
    users = [event.user_id for event in events]
    if [user.encode() for user in users] != keys or any(partition_of(user, partitions) != partition for user in set(users)):
        return None
    ended = np.array([event.ts_ms for event in events], np.int64)
    received = np.array([event.received_at_ms for event in events], np.int64)
    first = received[0] if clock.now_ms is None else clock.now_ms
    now = np.maximum.accumulate(np.concatenate([[first], received]))
    if (ended > received).any() or (received > now[:-1] + LATENESS_MS).any() or (ended < now[:-1] - LATENESS_MS).any():
        return None
    latest = int(received.max())
    clock.received_ms = latest if clock.received_ms is None else max(clock.received_ms, latest)
    return events
