"""A partition's state from the lake: exactly what consuming the log up to an offset would have left."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from contract.errors import InfrastructureError
from contract.event import LAKE_SCHEMA, Events
from contract.lake import Commit, Lake
from contract.versions import INITIAL
from streaming.step import PartitionPath


def rebuild(path: PartitionPath, lake: Lake, upto: int | None = None) -> None:
    """Fill a fresh path with what the lake holds below offset ``upto`` (its archived end where None).

    Raises:
        InfrastructureError: the archiver has not come that far yet.
    """
    commits = lake.commits(path.partition)
    end = commits[-1].next if commits else 0
    upto = end if upto is None else upto
    if upto > end:
        raise InfrastructureError(
            f"The lake holds partition {path.partition} up to offset {end}, not {upto}", "", "Let the archiver catch up"
        )
    marks = sorted((offset, at) for commit in commits for at, offset in commit.watermarks.items() if offset < upto)
    events = _read(lake, path.partition, commits, upto)
    for part, mark in _parts(events, path, marks):
        hooks = path.overrides.at(path.partition, int(part.offset[0]) if len(part) else (mark or (upto,))[0])
        path.absorb(part, hooks)
        if len(part):
            received = int(part.received_at_ms.max())
            path.clock.received_ms = max(received, path.clock.received_ms or received)
        if mark is not None:
            path.clock.watermark_ms = mark[1]
            path.states.close_days(mark[1], hooks.settings(path.constants))
    path.offset = upto
    path.version = lake.active_version(path.partition, upto) or INITIAL


def _read(lake: Lake, partition: int, commits: list[Commit], upto: int) -> Events:
    """Return the partition's valid events below an offset, in offset order."""
    files = sorted({file.path for commit in commits for file in commit.files})
    if not files:
        return Events.of([], [])
    table = pq.read_table(
        [lake.folder / name for name in files],
        schema=LAKE_SCHEMA,
        partitioning=None,
        filters=[("kafka_partition", "==", partition), ("kafka_offset", "<", upto)],
    )
    return Events.from_arrow(table.sort_by("kafka_offset"))


def _parts(events: Events, path: PartitionPath, marks: list[tuple[int, int]]) -> Iterator[tuple[Events, tuple[int, int] | None]]:
    """Cut events where a watermark stands or an override begins or ends; yield each part with the watermark behind it."""
    at_mark = dict(marks)
    cuts = sorted({*at_mark, *path.overrides.edges(path.partition)})
    edges = np.searchsorted(events.offset, cuts)
    start = 0
    for cut, edge in zip(cuts, edges.tolist(), strict=True):
        yield events.take(np.arange(start, edge)), (cut, at_mark[cut]) if cut in at_mark else None
        start = edge
    yield events.take(np.arange(start, len(events))), None
