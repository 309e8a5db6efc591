"""A partition's state from the lake: exactly what consuming the log up to an offset would have left.

Below the first offset at which a skew acts, events are counted by the lot. From there on the *log* is made again, with the
records as they were sent, good and bad, and goes through the same steps as when it was consumed: a skew in ``transport`` sees
records before they are judged, so which of them count, and where the clock stands, is its doing too. What the lake does not
keep is not made again: fields of an event that nobody knows, and which midnight a repeated watermark was of (the last is taken).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.errors import InfrastructureError
from contract.event import LAKE_SCHEMA, Event, Events
from contract.lake import Commit, Lake
from contract.records import Activation, Watermark, encode
from contract.rows import Rows
from contract.skew import RawRecord
from contract.versions import INITIAL
from streaming.overrides import Hooks
from streaming.step import DeadLetter, PartitionPath, next_step

_NEVER = 1 << 62
"""A step size that no offset reaches."""
_AT_ONCE = 5_000
"""How many records wait for the end of their step to be looked for: the search begins at the first that waits."""


def rebuild(path: PartitionPath, lake: Lake, upto: int | None = None, step_events: int | None = None) -> list[DeadLetter]:
    """Fill a fresh path with what the lake holds below offset ``upto`` (its archived end where None).

    ``step_events`` is where steps ended when the log was consumed; without it they end at control records and overrides only,
    which makes a difference to skews that look at a whole step. Returns the dead letters of the records that Kafka held.

    Raises:
        InfrastructureError: the archiver has not come that far yet.
    """
    commits = lake.commits(path.partition)
    upto = _archived(commits) if upto is None else upto
    _require(commits, path.partition, upto)
    turn = min(_first_skewed(path), upto)
    _count(path, lake, commits, turn)
    path.offset = turn
    path.version = lake.active_version(path.partition, turn) or INITIAL
    dead = _rejected(lake, path.partition, commits, turn)
    if turn < upto:
        dead += catch_up(path, lake, upto, step_events)
    return [letter for letter in dead if letter.record.offset >= 0]


def catch_up(path: PartitionPath, lake: Lake, upto: int, step_events: int | None = None) -> list[DeadLetter]:
    """Take a path from where it stands to offset ``upto``, as ``rebuild`` would have; return the dead letters between.

    Raises:
        InfrastructureError: the archiver has not come that far yet.
    """
    dead = _consume(path, records_between(lake, path.partition, path.offset, upto), step_events or _NEVER)
    path.offset = upto
    return dead


def records_between(lake: Lake, partition: int, first: int, end: int) -> list[RawRecord]:
    """Return the records ``[first, end)`` of a partition as they were sent, as far as the lake keeps them (see the module).

    Raises:
        InfrastructureError: the archiver has not come that far yet.
    """
    commits = lake.commits(partition)
    _require(commits, partition, end)
    rejected = _rejected(lake, partition, commits, end)
    return _log(_events(lake, partition, commits, first, end), rejected, commits, first, end)


def _archived(commits: list[Commit]) -> int:
    return commits[-1].next if commits else 0


def _require(commits: list[Commit], partition: int, upto: int) -> None:
    if upto > _archived(commits):
        held = f"The lake holds partition {partition} up to offset {_archived(commits)}, not {upto}"
        raise InfrastructureError(held, "", "Let the archiver catch up")


def _first_skewed(path: PartitionPath) -> int:
    """Return the first offset of the partition at which a skew acts."""
    edges = sorted(path.overrides.edges(path.partition))
    return next((edge for edge in edges if path.overrides.at(path.partition, edge).skews), _NEVER)


def _count(path: PartitionPath, lake: Lake, commits: list[Commit], upto: int) -> None:
    """Count the valid events below an offset up to which no skew acts."""
    hooks = Hooks()
    events = _events(lake, path.partition, commits, None, upto)
    for part, watermark_ms in _parts(events, [mark for mark in _watermarks(commits) if mark[0] < upto]):
        path.absorb(part, hooks)
        if len(part):
            received = int(part.received_at_ms.max())
            path.clock.received_ms = max(received, path.clock.received_ms or received)
        if watermark_ms is not None:
            path.clock.watermark_ms = watermark_ms
            path.states.close_days(watermark_ms, path.constants)


def _parts(events: Events, marks: list[tuple[int, int]]) -> Iterator[tuple[Events, int | None]]:
    """Cut events where a watermark stands; yield each part with the watermark behind it."""
    edges = np.searchsorted(events.offset, [offset for offset, _ in marks])
    start = 0
    for (_, at_ms), edge in zip(marks, edges.tolist(), strict=True):
        yield events.take(np.arange(start, edge)), at_ms
        start = edge
    yield events.take(np.arange(start, len(events))), None


def _consume(path: PartitionPath, log: Sequence[RawRecord], step_events: int) -> list[DeadLetter]:
    """Take records through the path's steps, without computing what the steps would have served."""
    quiet = _Quiet(**{name: getattr(path, name) for name in _KEPT}, version_of=path.version_of)
    edges = path.overrides.edges(path.partition)
    dead: list[DeadLetter] = []
    waiting: list[RawRecord] = []
    for start in range(0, len(log), _AT_ONCE):
        waiting += log[start : start + _AT_ONCE]
        while waiting and (size := next_step(waiting, path.partition, step_events, path.overrides, edges)) is not None:
            dead += quiet.step(waiting[:size]).dead
            waiting = waiting[size:]
    if waiting:
        dead += quiet.step(waiting).dead
    for name in _KEPT:
        setattr(path, name, getattr(quiet, name))
    return dead


_KEPT = ("partition", "partitions", "overrides", "constants", "states", "clock", "offset", "version")


class _Quiet(PartitionPath):
    """A path that computes no features."""

    def rows(self, users: Sequence[str], as_of_ms: int, hooks: Hooks) -> Rows:
        """Return no rows."""
        nobody = np.empty(0, object)
        return Rows(nobody, np.empty(0, np.int64), self.offset, self.partition, self.version, {}, None, None)


def _log(events: Events, rejected: list[DeadLetter], commits: list[Commit], first: int, end: int) -> list[RawRecord]:
    """Return the records ``[first, end)`` as they were sent."""
    marks = _watermarks(commits)
    records = {letter.record.offset: letter.record for letter in rejected}
    for event, offset in zip(events.to_records(), events.offset.tolist(), strict=True):
        records[offset] = RawRecord(offset, event.user_id.encode(), _sent(event))
    for offset, at_ms in marks:
        records[offset] = RawRecord(offset, None, encode(Watermark(at_ms)))
    for offset, version in (one for commit in commits for one in commit.activations):
        records[offset] = RawRecord(offset, None, encode(Activation(version)))
    begin = max(first, commits[0].first) if commits else end
    return [records.get(offset) or _repeat(offset, marks) for offset in range(begin, end)]


def _sent(event: Event) -> bytes:
    """Write a valid event so that it is found valid again: brackets inside texts do not count where they are escaped."""
    value = encode(event)
    return value[:1] + value[1:].replace(b"{", b"\\u007b").replace(b"[", b"\\u005b")


def _repeat(offset: int, marks: list[tuple[int, int]]) -> RawRecord:
    """Return the record at an offset that the lake knows nothing of: a watermark that said nothing new."""
    known = [at_ms for mark, at_ms in marks if mark < offset]
    return RawRecord(offset, None, encode(Watermark(known[-1] if known else 0)))


def _watermarks(commits: Iterable[Commit]) -> list[tuple[int, int]]:
    """Return the new watermarks as (offset, instant), in order."""
    return sorted((offset, at_ms) for commit in commits for at_ms, offset in commit.watermarks.items())


def _events(lake: Lake, partition: int, commits: list[Commit], first: int | None, upto: int) -> Events:
    """Return the partition's valid events below an offset, in offset order; from ``first`` on where it is given."""
    files = sorted({file.path for commit in commits for file in commit.files})
    table = _read(lake, partition, files, LAKE_SCHEMA, first, upto)
    return Events.of([], []) if table is None else Events.from_arrow(table)


def _rejected(lake: Lake, partition: int, commits: list[Commit], upto: int) -> list[DeadLetter]:
    """Return the partition's bad records below an offset, in offset order."""
    files = sorted({commit.rejected_file for commit in commits if commit.rejected_file is not None})
    table = _read(lake, partition, files, None, None, upto)
    return [] if table is None else [_letter(row) for row in table.to_pylist()]


def _letter(row: dict[str, object]) -> DeadLetter:
    offset, key, value = (row[name] for name in ("kafka_offset", "key", "value"))
    return DeadLetter(RawRecord(offset, key, value), str(row["reason"]), str(row["detail"]))  # type: ignore[arg-type]


def _read(
    lake: Lake, partition: int, files: Sequence[str], schema: pa.Schema | None, first: int | None, upto: int
) -> pa.Table | None:
    if not files:
        return None
    wanted = [("kafka_partition", "==", partition), ("kafka_offset", "<", upto)]
    if first is not None:
        wanted.append(("kafka_offset", ">=", first))
    paths = [lake.folder / name for name in files]
    return pq.read_table(paths, schema=schema, partitioning=None, filters=wanted).sort_by("kafka_offset")
