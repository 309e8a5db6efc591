"""Where the live path's truth is kept: what a store must do, and one in memory.

A partition has one owner at a time. ``claim`` makes the caller the owner and gives it a higher *epoch*; a write with a lower one
is refused, so a member that was thought dead cannot spoil what its successor wrote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contract.errors import SkewlabError
from contract.keys import RANKINGS
from contract.rows import Floats


class Fenced(SkewlabError):
    """The partition has another owner now, or stands at another offset: this member's step was not written."""


@dataclass(frozen=True)
class Meta:
    """Where a partition stands: all that a new owner needs beside the states."""

    offset: int
    received_ms: int | None
    watermark_ms: int | None
    version: str


@dataclass(frozen=True)
class Claim:
    """What ``claim`` found; ``meta`` is None where nothing was ever written, or the store lost it."""

    epoch: int
    meta: Meta | None
    items: list[str]
    states: dict[str, bytes]


NOTHING = -1


@dataclass(frozen=True)
class Rankings:
    """What is ranked for n listeners: ``places`` in ``names`` and ``scores``, both of shape (n, ranked), best first.

    ``NOTHING`` is the place of nothing: it stands behind the last one, where a listener has fewer.
    """

    users: Sequence[str]
    names: Sequence[str]
    places: NDArray[np.int64]
    scores: Floats

    def of(self, i: int) -> list[tuple[str, float]]:
        """Return the ranking of one of the listeners."""
        pairs = zip(self.places[i].tolist(), self.scores[i].tolist(), strict=True)
        return [(self.names[place], score) for place, score in pairs if place != NOTHING]


@dataclass(frozen=True)
class Write:
    """One step's write. ``states`` and ``rows`` map names to bytes, None meaning that they are removed.

    ``rankings`` are those of the rows, by their kind: with a row goes whatever was ranked by the one before.
    """

    first: int
    meta: Meta
    known_items: int
    new_items: Sequence[str]
    states: dict[str, bytes | None]
    rows: dict[str, bytes | None]
    outbox: Sequence[bytes]
    rankings: Mapping[str, Rankings] = field(default_factory=dict)


class Store(Protocol):
    """A store of partitions."""

    def claim(self, partition: int) -> Claim:
        """Become the owner of a partition."""

    def commit(self, partition: int, epoch: int, write: Write) -> None:
        """Write a step, whole or not at all; writing the same step again changes nothing.

        Raises:
            Fenced: the epoch or the offset is not what the write builds on.
        """

    def holds(self, partition: int, epoch: int, offset: int) -> bool:
        """Tell whether the caller still owns the partition and it still stands at this offset."""

    def outbox(self, partition: int, limit: int) -> list[tuple[str, bytes]]:
        """Return the oldest entries that wait to be published, with their ids."""

    def published(self, partition: int, ids: Sequence[str]) -> None:
        """Remove entries that Kafka has acknowledged."""

    def row(self, partition: int, name: str) -> bytes | None:
        """Return the row stored under a name."""

    def ranking(self, partition: int, kind: str, name: str) -> list[tuple[str, float]]:
        """Return what is ranked for a listener with its scores, best first; equal scores stand by name, the last first."""

    def clear(self, partition: int) -> None:
        """Forget a partition's state, rows, rankings and offset, but never its epoch: what waits to be published stays."""


@dataclass
class _Partition:
    epoch: int = 0
    meta: Meta | None = None
    step: tuple[int, int, int] | None = None
    items: list[str] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    rankings: dict[tuple[str, str], list[tuple[str, float]]] = field(default_factory=dict)
    outbox: dict[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """A store in this process: for the ``replay`` runner, and for tests."""

    def __init__(self) -> None:
        self._partitions: dict[int, _Partition] = {}

    def _at(self, partition: int) -> _Partition:
        return self._partitions.setdefault(partition, _Partition())

    def claim(self, partition: int) -> Claim:
        """See ``Store.claim``."""
        at = self._at(partition)
        at.epoch += 1
        return Claim(at.epoch, at.meta, list(at.items), dict(at.states))

    def commit(self, partition: int, epoch: int, write: Write) -> None:
        """See ``Store.commit``."""
        at = self._at(partition)
        if at.epoch != epoch:
            raise Fenced(f"Partition {partition} has another owner", f"epoch {at.epoch}, not {epoch}")
        step = (epoch, write.first, write.meta.offset)
        if at.step == step:
            return
        if at.meta is not None and at.meta.offset != write.first:
            raise Fenced(f"Partition {partition} stands at offset {at.meta.offset}, not {write.first}")
        at.step, at.meta = step, dataclasses.replace(write.meta)
        at.items.extend(write.new_items)
        _update(at.states, write.states)
        _update(at.rows, write.rows)
        for kind in RANKINGS:
            for name in write.rows:
                at.rankings.pop((kind, name), None)
        for kind, found in write.rankings.items():
            at.rankings.update(((kind, name), found.of(i)) for i, name in enumerate(found.users))
        at.outbox.update({f"{write.meta.offset}-{i}": payload for i, payload in enumerate(write.outbox, 1)})

    def holds(self, partition: int, epoch: int, offset: int) -> bool:
        """See ``Store.holds``."""
        at = self._at(partition)
        return at.epoch == epoch and (at.meta is None or at.meta.offset == offset)

    def outbox(self, partition: int, limit: int) -> list[tuple[str, bytes]]:
        """See ``Store.outbox``."""
        return list(self._at(partition).outbox.items())[:limit]

    def published(self, partition: int, ids: Sequence[str]) -> None:
        """See ``Store.published``."""
        for name in ids:
            self._at(partition).outbox.pop(name, None)

    def row(self, partition: int, name: str) -> bytes | None:
        """See ``Store.row``."""
        return self._at(partition).rows.get(name)

    def ranking(self, partition: int, kind: str, name: str) -> list[tuple[str, float]]:
        """See ``Store.ranking``."""
        return sorted(self._at(partition).rankings.get((kind, name), []), key=lambda pair: (pair[1], pair[0]), reverse=True)

    def clear(self, partition: int) -> None:
        """See ``Store.clear``."""
        at = self._at(partition)
        self._partitions[partition] = _Partition(epoch=at.epoch, outbox=at.outbox)


def _update(table: dict[str, bytes], changes: dict[str, bytes | None]) -> None:
    for name, value in changes.items():
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
