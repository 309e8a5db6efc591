"""A stretch of a partition's log, gone through again and again: what the live path makes of it under some skews.

The records are judged once and kept as columns, so that going through them again costs counting and features alone. State,
clock and version at the begin are those of a path that no skew has touched. What a skew does to records before they are judged
(``transport``) is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

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
class _Stop:
    """Where rows are made: of some listeners as of an instant, by a path as it stands there."""

    path: PartitionPath
    users: Sequence[str]
    as_of_ms: int
    cut: int

    def rows(self, hooks: Hooks) -> Rows:
        """Make the rows."""
        return self.path.rows(self.users, self.as_of_ms, hooks).replace(cut=self.cut)

    def kept(self) -> _Stop:
        """Return it with a path that stays as it is while the other one goes on."""
        listeners = self.path.states.listeners
        states = States({user: listeners[user] for user in self.users if user in listeners}, self.path.states.items)
        return replace(self, path=replace(self.path, states=states))


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
        hooks = Hooks(skews)
        counted = any(_counts(type(skew)) for skew in skews)
        stops: Iterable[_Stop] = self._walked(hooks, requests) if counted else self._requests if requests else self._midnights
        found = (stop.rows(hooks) for stop in stops)
        return pa.concat_tables([ROW_SCHEMA.empty_table(), *(rows.to_arrow() for rows in found if len(rows))])

    @cached_property
    def _midnights(self) -> list[_Stop]:
        """The clean path at each midnight: what a skew does that changes no state can be done there, without counting again."""
        return [stop.kept() for stop in self._walked(Hooks(), requests=False)]

    @cached_property
    def _requests(self) -> list[_Stop]:
        """The same, and after each step."""
        return [stop.kept() for stop in self._walked(Hooks(), requests=True)]

    def _walked(self, hooks: Hooks, requests: bool) -> Iterator[_Stop]:
        """Count part after part, and yield where rows are made; the path goes on when the next is asked for."""
        path = copied(self.start)
        for part in self._parts:
            path.offset, path.clock.received_ms = part.next, part.received_ms
            if isinstance(part.control, Activation):
                path.version = part.control.version
            elif part.control is None:
                touched = path.absorb(part.events, hooks)
                if requests:
                    yield _Stop(path, touched, path.clock.as_of_ms, part.next)
            elif path.clock.is_new(part.control):
                yield _Stop(path, sorted(path.states.listeners), part.control.at_ms, part.next - 1)
                path.clock.advance(part.control)
                path.states.close_days(part.control.at_ms, hooks.settings(path.constants))


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


def _counts(kind: type[Skew]) -> bool:
    """Tell whether a skew has a part in counting, and so in the state."""
    return any(getattr(kind, hook) is not getattr(Skew, hook) for hook in ("transport", "event", "settings", "state"))
