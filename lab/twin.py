"""The clean twin: the live path without any skew, over the same records, in this process.

Listeners in a run do not react to what is served, so one simulation serves both, and the difference in quality is the skew's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pyarrow as pa

from contract.features import ROW_SCHEMA
from contract.home import Home
from contract.lake import Lake
from contract.skew import RawRecord
from contract.versions import Versions
from streaming.overrides import Overrides
from streaming.rebuild import rebuild
from streaming.step import PartitionPath, next_step

_NEVER = 1 << 62
"""A step size that no offset reaches: the twin serves nobody, its steps end at control records alone."""


class Twin:
    """See the module."""

    def __init__(self, home: Home, partitions: int) -> None:
        version_of = cache(Versions(home.versions).get)
        self._paths = [PartitionPath(p, partitions, version_of) for p in range(partitions)]
        for path in self._paths:
            rebuild(path, Lake(home.lake))
        self._waiting: dict[int, list[RawRecord]] = {}
        self._snapshots: dict[int, list[pa.Table]] = {}

    def feed(self, partition: int, records: Sequence[RawRecord]) -> None:
        """Take the next records of a partition."""
        path = self._paths[partition]
        waiting = [*self._waiting.get(partition, []), *records]
        while waiting and (size := next_step(waiting, partition, _NEVER, Overrides(), set())) is not None:
            step = path.step(waiting[:size])
            waiting = waiting[size:]
            if step.snapshot_ms is not None and step.rows is not None:
                self._snapshots.setdefault(step.snapshot_ms, []).append(step.rows.to_arrow())
        self._waiting[partition] = waiting

    def snapshot(self, as_of_ms: int) -> pa.Table:
        """Return everybody's rows at a midnight that was passed."""
        return pa.concat_tables([ROW_SCHEMA.empty_table(), *self._snapshots.get(as_of_ms, [])])
