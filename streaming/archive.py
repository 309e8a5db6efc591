"""The archiver: the log's records into the lake, each exactly once.

Files are named by partition and offsets; a commit that names them is written last. A run that dies leaves files that no reader
knows; the next one removes them (``Lake.sweep``, ``sweep_served``) and begins at the last commit. One archiver works at a time
(``Lake.writing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.event import Event, Events
from contract.features import ROW_SCHEMA
from contract.home import placed_whole
from contract.lake import Commit, Lake, LakeFile, event_path, rejected_path
from contract.records import Activation, PartitionClock, Rejection, Watermark, judge
from contract.skew import RawRecord
from contract.windows import DAY_MS, iso_date
from streaming.outbox import read_served

_REJECTED = pa.schema(
    [
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("key", pa.binary()),
        ("value", pa.binary()),
    ]
)


@dataclass
class PartitionArchive:
    """One partition's way into the lake. ``flush`` commits what was absorbed since the last time."""

    lake: Lake
    partition: int
    partitions: int
    clock: PartitionClock = field(default_factory=PartitionClock)
    next: int = 0
    """The offset behind the last absorbed record."""
    _first: int = 0
    _events: list[tuple[Event, int]] = field(default_factory=list)
    _rejected: list[tuple[RawRecord, Rejection]] = field(default_factory=list)
    _watermarks: dict[int, int] = field(default_factory=dict)
    _activations: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lake.settle(self.partitions)

    @staticmethod
    def resume(lake: Lake, partition: int, partitions: int) -> PartitionArchive:
        """Go on behind the last commit."""
        commits = lake.commits(partition)
        if not commits:
            return PartitionArchive(lake, partition, partitions)
        last = commits[-1]
        clock = PartitionClock(last.received_ms, last.watermark_ms)
        return PartitionArchive(lake, partition, partitions, clock, last.next, last.next)

    def start_at(self, offset: int) -> None:
        """Begin an empty lake at an offset: history stands below 0."""
        self.next = self._first = offset

    def absorb(self, records: Iterable[RawRecord]) -> None:
        """Judge records and keep them for the next flush."""
        for raw in records:
            record = judge(raw.value, raw.key, self.partition, self.partitions, self.clock)
            if isinstance(record, Event):
                self._events.append((record, raw.offset))
            elif isinstance(record, Rejection):
                self._rejected.append((raw, record))
            elif isinstance(record, Activation):
                self._activations.append((raw.offset, record.version))
            elif isinstance(record, Watermark) and self.clock.is_new(record):
                self._watermarks[record.at_ms] = raw.offset
            self.clock.advance(record)
            self.next = raw.offset + 1

    def flush(self) -> None:
        """Write what was absorbed: data files first, the commit last."""
        if self.next == self._first:
            return
        self.lake.append(
            Commit(
                partition=self.partition,
                first=self._first,
                next=self.next,
                received_ms=self.clock.received_ms,
                watermark_ms=self.clock.watermark_ms,
                watermarks=self._watermarks,
                activations=self._activations,
                files=self._write_events(),
                rejected=len(self._rejected),
                rejected_file=self._write_rejected(),
            )
        )
        self._first = self.next
        self._events, self._rejected, self._watermarks, self._activations = [], [], {}, []

    def _write_events(self) -> list[LakeFile]:
        events = Events.of([event for event, _ in self._events], [offset for _, offset in self._events])
        day = events.ts_ms // DAY_MS
        return [self._write_day(iso_date(d * DAY_MS), events.take(day == d)) for d in np.unique(day).tolist()]

    def _write_day(self, date: str, events: Events) -> LakeFile:
        path = event_path(date, self.partition, self._first, self.next)
        with placed_whole(self.lake.folder / path) as temporary:
            pq.write_table(events.to_arrow(self.partition), temporary)
        return LakeFile(path, date, len(events))

    def _write_rejected(self) -> str | None:
        if not self._rejected:
            return None
        rows = [
            (self.partition, raw.offset, rejection.reason, rejection.detail, raw.key, raw.value)
            for raw, rejection in self._rejected
        ]
        path = rejected_path(self.partition, self._first, self.next)
        columns = [pa.array(column, f.type) for column, f in zip(zip(*rows, strict=True), _REJECTED, strict=True)]
        with placed_whole(self.lake.folder / path) as temporary:
            pq.write_table(pa.table(columns, schema=_REJECTED), temporary)
        return path


def archive_served(folder: Path, partition: int, records: Sequence[RawRecord]) -> None:
    """Write served-features records of one partition to a file named by their offsets: the file is its own commit."""
    if not records:
        return
    tables = read_served([record.value for record in records if record.value is not None])
    with placed_whole(folder / served_name(partition, records[0].offset, records[-1].offset + 1)) as temporary:
        pq.write_table(pa.concat_tables(tables or [ROW_SCHEMA.empty_table()]), temporary)


def served_name(partition: int, first: int, end: int) -> str:
    """Return the name of a file of served rows."""
    return f"p{partition:02d}-{first:020d}-{end:020d}.parquet"


def served_end(folder: Path, partition: int) -> int:
    """Return the offset behind the last archived served-features record of a partition."""
    ends = [int(path.stem.rsplit("-", 1)[1]) for path in folder.glob(f"p{partition:02d}-*.parquet")]
    return max(ends, default=0)


def sweep_served(folder: Path) -> None:
    """Remove what archivers left that were killed. To be called by the only one, as ``Lake.sweep``."""
    for path in folder.glob(".*.tmp"):
        path.unlink()
