"""Somebody else's features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.event import Ints
from contract.features import NAMES
from contract.rows import Column, FeatureColumns, MapColumn
from contract.skew import Skew
from streaming.view import View


class SwappedNeighbours(Skew):
    """Two listeners with the same device and the same local time get each other's features, whole.

    What is compared of all listeners together is as it was, value for value: no monitor of distributions can see it, however
    finely it looks. The state has no country; the offset from UTC of the last listen stands for it. Neighbours are those next
    to each other by name among the rows that are computed at once: at a midnight all listeners of a partition, after a step
    those of the step. Who has no single listen left in the state has no device, and keeps what is theirs.
    """

    id = "swapped-neighbours"
    title = "Listeners alike get each other's features"
    story = (
        "A join by position is off by one within each shard, and shards are made of listeners alike. Nobody is missing, nothing "
        "is out of range, every distribution is the same; only the person is another. The case is made up."
    )
    sources = ()
    group = "values"
    evidence = "C"
    moves = NAMES
    seen_by = ("parity", "ranking")
    parameter = "share of pairs of neighbours that are exchanged"
    fix = "Join by key, and return the key with the row so that the reader can check it"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Exchange the rows of neighbours, by the chance of the first one's name."""
        first, second = _neighbours(window)
        hit = self.hit(window.users[first])
        order = np.arange(window.n)
        order[first[hit]], order[second[hit]] = second[hit], first[hit]
        return {name: _ordered(column, order) for name, column in columns.items()}


def _neighbours(window: View) -> tuple[Ints, Ints]:
    """Return the two places of each pair."""
    last = np.flatnonzero(np.diff(window.listen_row, append=window.n))
    row, alike = window.listen_row[last], (window.listens.device[last], window.listens.utc_offset[last])
    by_name = np.unique(window.users[row], return_inverse=True)[1]
    order = np.lexsort((by_name, *alike))
    group = np.stack(alike)[:, order]
    begins = np.append(True, (group[:, 1:] != group[:, :-1]).any(axis=0))[: len(order)]
    start = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    odd = (np.arange(len(order)) - start) % 2 == 1
    return row[order[np.flatnonzero(odd) - 1]], row[order[odd]]


def _ordered(column: Column, order: NDArray[np.int64]) -> Column:
    if not isinstance(column, MapColumn):
        return column[order]
    counts = np.diff(column.starts)[order]
    starts = np.concatenate([[0], np.cumsum(counts)])
    entry: NDArray[Any] = np.repeat(column.starts[order] - starts[:-1], counts) + np.arange(starts[-1])
    codes = None if column.codes is None else column.codes[entry]
    return MapColumn(starts, column.keys[entry], column.values[entry], codes, column.names)
