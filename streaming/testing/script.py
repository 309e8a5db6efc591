"""A scripted log: records and faults in one list, played to a member over a store.

    play([first, second, CRASH, third, REDELIVER, LOSE_REPLY, fourth], partition, store, lambda store: Member(home, store, 2, 1))

Records get the offsets 0, 1, 2 ... in the order in which they stand in the script. A member is given each record when its turn
comes. One that dies is dropped with all that it had taken and not written; a new one takes over and reads from the store's
offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

from contract.event import Event
from contract.records import Control, encode
from contract.skew import RawRecord
from streaming.member import Member
from streaming.step import Step
from streaming.store import Store, Write


class Marker(Enum):
    """What happens at a place of a script."""

    CRASH = "the member dies here"
    CRASH_BEFORE_WRITE = "the member dies in its next write: nothing of it is in the store"
    CRASH_AFTER_WRITE = "the member dies in its next write: all of it is in the store, and the member never knew"
    LOSE_REPLY = "the reply to the next write is lost, and the client sends the write again"


@dataclass(frozen=True)
class Redeliver:
    """The log delivers the last ``back`` records again; all since the start where it is None."""

    back: int | None = None


CRASH = Marker.CRASH
CRASH_BEFORE_WRITE = Marker.CRASH_BEFORE_WRITE
CRASH_AFTER_WRITE = Marker.CRASH_AFTER_WRITE
LOSE_REPLY = Marker.LOSE_REPLY
REDELIVER = Redeliver()


@dataclass(frozen=True)
class Raw:
    """A record as bytes, for what no sender should send."""

    key: bytes | None
    value: bytes | None


Entry = Event | Control | Raw | Marker | Redeliver
"""What a script is made of."""


class Killed(BaseException):
    """What ends a member of a script: like a signal, it is no ``Exception`` that anybody would catch."""


@dataclass
class Played:
    """What came of a script. ``member`` is the one that lives at its end; ``log`` holds the records at their offsets."""

    member: Member
    log: list[RawRecord] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    deaths: int = 0
    redelivered: int = 0


def play(script: Iterable[Entry], partition: int, store: Store, member_of: Callable[[Store], Member]) -> Played:
    """Play a script to one partition's members, each made by ``member_of`` from the store that it is given."""
    return _Player(partition, _FaultyStore(store), member_of).play(script)


def records_of(script: Sequence[Entry]) -> list[RawRecord]:
    """Return the records of a script at their offsets, without the faults: what an undisturbed member reads."""
    records = [_raw(entry) for entry in script if not isinstance(entry, Marker | Redeliver)]
    return [RawRecord(offset, raw.key, raw.value) for offset, raw in enumerate(records)]


class _Player:
    def __init__(self, partition: int, store: _FaultyStore, member_of: Callable[[Store], Member]) -> None:
        self._partition, self._store = partition, store
        self._new: Callable[[], Member] = lambda: member_of(cast(Store, store))
        self._at = 0
        """The offset to read from."""
        self._played = Played(self._new())

    def play(self, script: Iterable[Entry]) -> Played:
        self._begin()
        for entry in script:
            if isinstance(entry, Redeliver):
                self._redeliver(entry)
            elif entry is CRASH:
                self._die()
            elif isinstance(entry, Marker):
                self._store.fault = entry
            else:
                raw = _raw(entry)
                self._played.log.append(RawRecord(len(self._played.log), raw.key, raw.value))
            self._read_on()
        return self._played

    def _begin(self) -> None:
        self._at = self._played.member.take_over(self._partition)

    def _read_on(self) -> None:
        while self._at < len(self._played.log):
            record = self._played.log[self._at]
            self._at += 1
            self._feed([record])

    def _redeliver(self, what: Redeliver) -> None:
        back = self._at if what.back is None else what.back
        again = self._played.log[max(0, self._at - back) : self._at]
        self._played.redelivered += len(again)
        self._feed(again)

    def _feed(self, records: Sequence[RawRecord]) -> None:
        try:
            self._played.steps += self._played.member.feed(self._partition, records)
        except Killed:
            self._die()

    def _die(self) -> None:
        self._played.deaths += 1
        self._played.member = self._new()
        self._begin()


class _FaultyStore:
    """A store of which the next write goes wrong in the way that ``fault`` says; all else is the store's own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fault: Marker | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, partition: int, epoch: int, write: Write) -> None:
        fault, self.fault = self.fault, None
        if fault is CRASH_BEFORE_WRITE:
            raise Killed
        self._store.commit(partition, epoch, write)
        if fault is LOSE_REPLY:
            self._store.commit(partition, epoch, write)
        if fault is CRASH_AFTER_WRITE:
            raise Killed


def _raw(entry: Event | Control | Raw) -> Raw:
    if isinstance(entry, Raw):
        return entry
    return Raw(entry.user_id.encode() if isinstance(entry, Event) else None, encode(entry))
