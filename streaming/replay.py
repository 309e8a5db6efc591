"""A stretch of a partition's log, gone through again and again: what the live path makes of it under some skews.

The records are judged once and kept as columns, so that going through them again costs counting and features alone. State,
clock and version at the begin are those of a path that no skew has touched. What a skew does to records before they are judged
(``transport``) is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from contract.event import Events
from contract.features import ROW_SCHEMA
from contract.lake import Lake
from contract.records import Activation, Control, Watermark
from contract.rows import Rows
from contract.skew import Acting, RawRecord, Skew
from contract.versions import Version
from streaming.overrides import Hooks, Overrides
from streaming.rebuild import rebuild, records_between
from streaming.state import States
from streaming.step import PartitionPath, next_step

_NEVER = 1 << 62
"""A step size that no offset reaches."""


@dataclass(frozen=True)
class _Part:
    """The records of one step, judged: its good events, or its control record."""

    events: Events
    control: Control | None
    next: int
    received_ms: int | None


@dataclass(frozen=True)
class Stretch:
    """See the module. ``start`` is the path before the stretch; it is never changed."""

    start: PartitionPath
    _parts: Sequence[_Part] = field(repr=False)

    @staticmethod
    def of(
        start: PartitionPath,
        records: Sequence[RawRecord],
        step_events: int | None,
        users: Collection[str] | None = None,
        lag: Sequence[Skew] = (),
    ) -> Stretch:
        """Judge the records from ``start`` on; only the listeners ``users`` are kept, all of them where None.

        ``step_events`` is where steps ended when the log was consumed, None for control records only. ``lag`` are skews that let
        steps wait for the next one (``holds``): that is decided here, once.
        """
        scratch = copied(start)
        scratch.overrides = Overrides([Acting(skew, {start.partition: start.offset}) for skew in lag])
        mine = None if users is None else set(users)
        parts = [_narrowed(part, mine) for part in _judged(scratch, records, step_events or _NEVER)]
        kept = start.states.listeners
        if mine is not None:
            kept = {user: state for user, state in kept.items() if user in mine}
        return Stretch(replace(start, states=States(dict(kept), start.states.items)), parts)

    def rows(self, skews: Sequence[Skew] = (), *, requests: bool = False) -> pa.Table:
        """Return the rows at each midnight of the stretch and, with ``requests``, those after each step, under some skews."""
        path, hooks = copied(self.start), Hooks(skews)
        tables = [ROW_SCHEMA.empty_table()]
        for part in self._parts:
            found = _go(path, part, hooks, requests)
            if found is not None and len(found):
                tables.append(found.to_arrow())
        return pa.concat_tables(tables)


def stretch_of(
    lake: Lake,
    version_of: Callable[[str], Version],
    partition: int,
    first: int,
    end: int,
    step_events: int | None = None,
    users: Collection[str] | None = None,
    lag: Sequence[Skew] = (),
) -> Stretch:
    """Return the stretch ``[first, end)`` of a partition from the lake; the state before it is rebuilt from all before it.

    Raises:
        InfrastructureError: the archiver has not come that far yet.
    """
    path = PartitionPath(partition, len(lake.partitions()), version_of)
    rebuild(path, lake, upto=first)
    return Stretch.of(path, records_between(lake, partition, first, end), step_events, users, lag)


def copied(path: PartitionPath) -> PartitionPath:
    """Return a path with a state of its own; item codes may be shared, they never change."""
    states = States(dict(path.states.listeners), path.states.items)
    return replace(path, states=states, clock=replace(path.clock), overrides=Overrides())


def _judged(path: PartitionPath, records: Sequence[RawRecord], step_events: int) -> Iterator[_Part]:
    """Judge records, step by step; the path's clock moves, nothing is counted."""
    waiting = list(records)
    while waiting:
        size = next_step(waiting, path.partition, step_events, path.overrides, set()) or len(waiting)
        events, offsets, control, _ = path.judged(waiting[:size])
        next_offset = waiting[size - 1].offset + 1
        yield _Part(Events.of(events, offsets), control, next_offset, path.clock.received_ms)
        if isinstance(control, Watermark):
            path.clock.advance(control)
        waiting = waiting[size:]


def _narrowed(part: _Part, users: set[str] | None) -> _Part:
    if users is None:
        return part
    return replace(part, events=part.events.take(np.array([user in users for user in part.events.user_id], bool)))


def _go(path: PartitionPath, part: _Part, hooks: Hooks, requests: bool) -> Rows | None:
    """Take a path behind a part; return the rows that are made there."""
    path.offset, path.clock.received_ms = part.next, part.received_ms
    if isinstance(part.control, Activation):
        path.version = part.control.version
        return None
    if part.control is None:
        touched = path.absorb(part.events, hooks)
        return path.rows(touched, path.clock.as_of_ms, hooks) if requests else None
    if not path.clock.is_new(part.control):
        return None
    found = path.rows(sorted(path.states.listeners), part.control.at_ms, hooks).replace(cut=part.next - 1)
    path.clock.advance(part.control)
    path.states.close_days(part.control.at_ms, hooks.settings(path.constants))
    return found
