"""A shelf of a block of listeners in arrays, and the clauses that its reasons are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from batch.neighbours import Ints, Mask
from contract.event import Names
from contract.recommendation import REASON_TYPE, SCHEMA
from contract.rows import Floats

MOST_REASONS = 2
"""More would not be read."""


@dataclass(frozen=True)
class Clause:
    """A kind of reason, and for which items it holds: tables (b, s); ``about`` and ``value`` may be one for all."""

    kind: str
    there: Mask
    about: Names | str = ""
    value: Floats | float = 0.0


@dataclass(frozen=True)
class Shelf:
    """Items of the pool for b listeners, best first, and their scores, (b, s); -1 is a gap.

    An item's reasons are the first ``MOST_REASONS`` of the ``clauses`` that hold for it.
    """

    name: str
    items: Ints
    scores: Floats
    clauses: tuple[Clause, ...] = ()

    def with_reasons(self, clauses: Sequence[Clause]) -> Shelf:
        """Return the shelf with more clauses behind those that it has."""
        return replace(self, clauses=(*self.clauses, *clauses))


def table(shelves: Sequence[Shelf], users: Sequence[str], items: Names) -> pa.Table:
    """Return shelves of the same listeners as rows of ``contract.recommendation.SCHEMA``, sorted by listener."""
    parts = [_rows(shelf, items) for shelf in shelves]
    owner = np.concatenate([rows for rows, _ in parts]) if parts else np.empty(0, np.int64)
    order = pa.array(np.argsort(owner, kind="stable"))
    names = pa.array(users, pa.string()).take(pa.array(owner))
    columns = [pa.concat_arrays([columns[i] for _, columns in parts]) for i in range(4)] if parts else []
    return pa.table([names, *columns], schema=SCHEMA).take(order) if parts else SCHEMA.empty_table()


def _rows(shelf: Shelf, items: Names) -> tuple[Ints, list[pa.Array]]:
    there = shelf.items >= 0
    count = there.sum(axis=1)
    owner = np.flatnonzero(count)
    found = pa.array(items[shelf.items[there]], pa.string())
    scores = pa.array(shelf.scores[there], pa.float32())
    lists = [_lists(count[owner], values) for values in (found, scores, _reasons(shelf.clauses, there))]
    return owner, [pa.array([shelf.name] * len(owner), pa.string()), *lists]


def _reasons(clauses: Sequence[Clause], there: Mask) -> pa.Array:
    shape = (int(there.sum()), len(clauses))
    holds = np.stack([clause.there[there] for clause in clauses], axis=1) if clauses else np.zeros(shape, bool)
    holds &= np.cumsum(holds, axis=1) <= MOST_REASONS
    about, value = np.full(shape, "", object), np.zeros(shape)
    for i, clause in enumerate(clauses):
        about[:, i] = clause.about if isinstance(clause.about, str) else clause.about[there]
        value[:, i] = clause.value if isinstance(clause.value, float) else clause.value[there]
    kinds = np.broadcast_to(np.array([clause.kind for clause in clauses], object), shape)
    columns: list[Any] = [kinds[holds], about[holds], np.round(value[holds], 2).astype(np.float32)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, REASON_TYPE, strict=True)]
    return _lists(holds.sum(axis=1), pa.StructArray.from_arrays(arrays, fields=list(REASON_TYPE)))


def _lists(count: Ints, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(count)]), pa.int32()), values)
