"""A member of the live path: owns partitions, takes their records, writes their steps to the store.

The offset in the store is the truth. A member that takes a partition over reads its state with the offset it belongs to and
goes on from there; where the store has nothing, the state is rebuilt from the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import pyarrow.parquet as pq

from contract.errors import InfrastructureError
from contract.home import Home, placed_whole, snapshot_path
from contract.lake import Lake
from contract.records import PartitionClock
from contract.rows import Rows
from contract.skew import RawRecord
from contract.versions import Version, Versions
from streaming.items import Items
from streaming.migration import current
from streaming.overrides import Overrides
from streaming.rebuild import rebuild
from streaming.state import States
from streaming.step import PartitionPath, Step, next_step
from streaming.store import Claim, Fenced, Meta, Store
from streaming.writes import write_of, write_of_all


@dataclass
class _Owned:
    epoch: int
    path: PartitionPath
    edges: set[int]
    waiting: list[RawRecord] = field(default_factory=list)


@dataclass
class Member:
    """One member. ``step_events`` ends steps at fixed offsets; None ends them where ``feed``'s records end."""

    home: Home
    store: Store
    partitions: int
    step_events: int | None
    overrides: Overrides = field(default_factory=Overrides)
    served_share: float = 1.0
    recorded: Callable[[], Overrides] | None = None
    """Reads again what acts, at each takeover and behind its claim: whoever changes what is recorded and then claims a partition
    knows that nothing more is written of it by somebody who has not read the change."""
    _owned: dict[int, _Owned] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._version_of: Callable[[str], Version] = cache(Versions(self.home.versions).get)  # a version never changes

    def take_over(self, partition: int) -> int:
        """Become the owner of a partition; return the offset to read from."""
        claim = self.store.claim(partition)
        if self.recorded is not None:
            self.overrides = self.recorded()
        path = PartitionPath(partition, self.partitions, self._version_of, self.overrides)
        owned = _Owned(claim.epoch, path, self.overrides.edges(partition))
        self._owned[partition] = owned
        if claim.meta is None:
            dead = rebuild(path, Lake(self.home.lake), step_events=self.step_events)
            self.store.commit(partition, claim.epoch, write_of_all(path, dead))
        else:
            _restore(path, claim, claim.meta)
        return path.offset

    def give_up(self, partition: int) -> None:
        """Forget a partition that another member owns now; what was not written is read again there."""
        self._owned.pop(partition, None)

    def act(self, overrides: Overrides) -> None:
        """Let skews act from now on, as the overrides say; records that wait are taken by the new ones."""
        self.overrides = overrides
        for partition, owned in self._owned.items():
            owned.path.overrides = overrides
            owned.edges = overrides.edges(partition)

    def feed(self, partition: int, records: Sequence[RawRecord]) -> list[Step]:
        """Take the next records of a partition and do the steps that they complete.

        Raises:
            Fenced: the partition has another owner; it is given up.
            InfrastructureError: the records do not go on where this member stands.
        """
        owned = self._owned[partition]
        owned.waiting.extend(_next_of(owned, records))
        done: list[Step] = []
        while owned.waiting and (size := self._step_size(owned)) is not None:
            records, owned.waiting = owned.waiting[:size], owned.waiting[size:]
            done.append(self._do(owned, records))
        return done

    def position(self, partition: int) -> int:
        """Return the offset behind the last written step."""
        return self._owned[partition].path.offset

    def owned(self) -> list[int]:
        """Return the partitions that this member owns."""
        return sorted(self._owned)

    def _step_size(self, owned: _Owned) -> int | None:
        size, path = self.step_events, owned.path
        if size is not None:
            return next_step(owned.waiting, path.partition, size, path.overrides, owned.edges)
        every = len(owned.waiting) + max(path.offset, 0) + 1  # no fixed offset: only control records and overrides
        found = next_step(owned.waiting, path.partition, every, path.overrides, owned.edges)
        return len(owned.waiting) if found is None else found

    def _do(self, owned: _Owned, records: Sequence[RawRecord]) -> Step:
        path, known = owned.path, len(owned.path.states.items.names)
        try:
            step = path.step(records)
            if step.snapshot_ms is not None and step.rows is not None:
                self._write_snapshot(owned, step, step.rows, step.snapshot_ms)
            self.store.commit(path.partition, owned.epoch, write_of(path, step, known, self.served_share))
        except BaseException:
            self.give_up(path.partition)  # what is in memory is ahead of the store: never to be used again
            raise
        return step

    def _write_snapshot(self, owned: _Owned, step: Step, rows: Rows, night_ms: int) -> None:
        path = snapshot_path(self.home, night_ms, rows.partition, rows.cut)
        with placed_whole(path) as temporary:
            pq.write_table(rows.to_arrow(), temporary)
            if not self.store.holds(rows.partition, owned.epoch, step.first):
                raise Fenced(f"The snapshot {path.name} was thrown away", "its partition has another owner")


def _restore(path: PartitionPath, claim: Claim, meta: Meta) -> None:
    path.offset, path.version = meta.offset, meta.version
    path.clock = PartitionClock(meta.received_ms, meta.watermark_ms)
    path.states = States({user: current(state) for user, state in claim.states.items()}, Items.of(claim.items))


def _next_of(owned: _Owned, records: Sequence[RawRecord]) -> Sequence[RawRecord]:
    """Leave out what was taken already: the log may deliver again, but never leave out."""
    at = owned.waiting[-1].offset + 1 if owned.waiting else owned.path.offset
    if records and records[0].offset < at:
        records = [record for record in records if record.offset >= at]
    if records and records[0].offset != at:
        raise InfrastructureError(
            f"Partition {owned.path.partition} goes on at offset {records[0].offset}, not {at}",
            "the records between are missing",
            "Start the consumer again: it rebuilds from the lake what Kafka does not hold",
        )
    return records
