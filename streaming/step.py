"""One partition of the live path, without any input or output: records in, what has to be written out.

A step, in order (the numbers stand in the code again):

1. the records, as transport delivers them, are judged: events, or dead letters with their reason;
2. duplicates drop out, events are counted into their listeners' states;
3. as of the partition's clock, the touched listeners' features are computed and shows scored, with the active version;
4. all of it, with the offset behind the step, is one write: it happens as a whole or not at all.

A control record is a step of its own. A watermark makes every listener's row as of it, the snapshot, and closes old days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contract.event import Event, Events, Names
from contract.features import FeatureConstants
from contract.records import Activation, Control, PartitionClock, Rejection, judge, judge_all
from contract.rows import FeatureColumns, MapColumn, Rows
from contract.skew import RawRecord
from contract.versions import INITIAL, Version
from streaming.arrivals import Arrivals
from streaming.facts import Facts
from streaming.features import compute
from streaming.overrides import Hooks, Overrides
from streaming.score import top_shows
from streaming.state import States
from streaming.view import open_view


@dataclass(frozen=True)
class DeadLetter:
    """A bad record as it goes to the dead-letter topic."""

    record: RawRecord
    reason: str
    detail: str


@dataclass(frozen=True)
class Step:
    """What one step changes: the records ``[first, next)`` are behind it."""

    first: int
    next: int
    changed: Sequence[str] = ()
    rows: Rows | None = None
    dead: Sequence[DeadLetter] = ()
    snapshot_ms: int | None = None
    """The night of which ``rows`` are the snapshot."""
    counted: int = 0


@dataclass
class PartitionPath:
    """The live path of one partition. ``offset`` is the first record that is not counted yet."""

    partition: int
    partitions: int
    version_of: Callable[[str], Version]
    overrides: Overrides = field(default_factory=Overrides)
    constants: FeatureConstants = field(default_factory=FeatureConstants)
    states: States = field(default_factory=States)
    clock: PartitionClock = field(default_factory=PartitionClock)
    offset: int = 0
    version: str = INITIAL
    _facts: Facts | None = None

    def step(self, records: Sequence[RawRecord]) -> Step:
        """Count the records of one step (at least one; a control record stands alone)."""
        first, end = self.offset, records[-1].offset + 1
        hooks = self.overrides.at(self.partition, records[0].offset)
        events, offsets, control, dead = self.judged(hooks.transport(records, self.partition))  # 1
        self.offset = end
        if control is not None:
            return self._control(control, hooks, first, dead)
        touched = self._absorb(events, offsets, hooks)  # 2
        rows = self.rows(touched, self.clock.as_of_ms, hooks)  # 3
        return Step(first, end, touched, rows, dead, counted=len(events))

    def absorb(self, batch: Events, hooks: Hooks) -> list[str]:
        """Count valid events; return the listeners with a counted one."""
        if not len(batch):
            return []
        return self._count(Arrivals.of_batch(hooks.event(batch, self.partition), self.states.items), hooks)

    def _absorb(self, events: Sequence[Event], offsets: Sequence[int], hooks: Hooks) -> list[str]:
        """Count decoded events; only for the hooks of skews they become a batch."""
        if hooks.skews:
            return self.absorb(Events.of(events, offsets), hooks)
        return self._count(Arrivals.of_records(events, self.states.items), hooks)

    def _count(self, arrivals: Arrivals, hooks: Hooks) -> list[str]:
        touched = self.states.absorb(arrivals, hooks.settings(self.constants))
        self.states = hooks.state(self.states)
        return touched

    def rows(self, users: Sequence[str], as_of_ms: int, hooks: Hooks) -> Rows:
        """Compute the rows of some listeners as of an instant that is not before the last watermark."""
        states = {user: state for user in users if (state := self.states.listeners.get(user)) is not None}
        as_seen_ms, constants, facts = hooks.clock(as_of_ms), hooks.settings(self.constants), self._look_up()
        found = compute(list(states.values()), as_seen_ms, constants, facts)
        names = np.empty(len(states), object)
        names[:] = list(states)
        names, columns = names[found.present], found.columns
        if hooks.skews:
            view = open_view(names, [states[name] for name in names], as_seen_ms, constants, facts)
            names, columns = _served(names, hooks.features(columns, view), hooks.serves(np.ones(len(names), np.bool_), view))
        shows, scores = top_shows(self.version_of(self.version), names, columns)
        return Rows(
            user_id=hooks.keys(names),
            as_of_ms=np.full(len(names), as_of_ms, np.int64),
            cut=self.offset,
            partition=self.partition,
            version=self.version,
            features=columns,
            shows=shows,
            scores=scores,
        )

    def judged(self, records: Sequence[RawRecord]) -> tuple[Sequence[Event], list[int], Control | None, list[DeadLetter]]:
        """Judge records and move the clock past the events; return these, their offsets, a control record, the dead letters."""
        offsets = [raw.offset for raw in records]
        good = judge_all(
            [raw.key for raw in records], [raw.value for raw in records], self.partition, self.partitions, self.clock
        )
        if good is not None:
            return good, offsets, None, []
        events: list[Event] = []
        dead: list[DeadLetter] = []
        offsets, control = [], None
        for raw in records:
            record = judge(raw.value, raw.key, self.partition, self.partitions, self.clock)
            if isinstance(record, Rejection):
                dead.append(DeadLetter(raw, record.reason, record.detail))
            elif isinstance(record, Event):
                self.clock.advance(record)
                events.append(record)
                offsets.append(raw.offset)
            else:
                control = control or record  # a watermark moves the clock once its night is done
        return events, offsets, control, dead

    def _control(self, control: Control, hooks: Hooks, first: int, dead: Sequence[DeadLetter]) -> Step:
        if isinstance(control, Activation):
            self.version_of(control.version)  # a version that is not there stops here, not in the middle of a step
            self.version = control.version
            return Step(first, self.offset, dead=dead)
        if not self.clock.is_new(control):
            return Step(first, self.offset, dead=dead)
        users = sorted(self.states.listeners)
        snapshot = self.rows(users, control.at_ms, hooks).replace(cut=self.offset - 1)
        self.clock.advance(control)
        changed = self.states.close_days(control.at_ms, hooks.settings(self.constants))
        return Step(first, self.offset, changed, snapshot, dead, snapshot_ms=control.at_ms)

    def _look_up(self) -> Facts:
        if self._facts is None or self._facts.version.name != self.version:
            self._facts = Facts.of(self.version_of(self.version))
        self._facts.know(self.states.items.names)
        return self._facts


def _served(names: Names, columns: FeatureColumns, served: NDArray[np.bool_]) -> tuple[Names, FeatureColumns]:
    """Keep the rows that are answered at all."""
    if served.all():
        return names, columns
    kept = {name: column.take(served) if isinstance(column, MapColumn) else column[served] for name, column in columns.items()}
    return names[served], kept


def next_step(records: Sequence[RawRecord], partition: int, size: int, overrides: Overrides, edges: set[int]) -> int | None:
    """Say how many of the waiting records the next step takes, or None where its end has not come yet.

    A step ends before and behind a control record, where the offset is a multiple of ``size``, and where an override begins or
    ends; so the same log always falls into the same steps.
    """
    for i, record in enumerate(records):
        if record.key is None:
            return max(i, 1)
        end = record.offset + 1
        if end in edges:
            return i + 1
        if end % size == 0 and not overrides.at(partition, record.offset).holds(partition, end):
            return i + 1
    return None
