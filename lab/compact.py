"""Compaction: of each date that is over, many small files of the lake become one a partition.

1. What earlier writers left, and what the compaction before has replaced, is removed.
2. The files of a date and partition are read, held to what was committed, put into the order of their offsets and written to one.
3. Once all files of a partition are there, one file in its log says so. Whoever reads the log from then on finds the new files;
   whoever read it before finds the old ones, until step 1 of the next compaction.

Commits stay what they were, record by record: which offsets, whose cut, how many rows of which date. Only the paths of files are
others. A compaction that dies has replaced whole partitions, or nothing; the next one does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from contract.errors import CannotJudge, InfrastructureError
from contract.event import LAKE_SCHEMA
from contract.home import placed_whole
from contract.lake import LAST_DATE, Commit, Lake, LakeFile, event_path
from contract.records import LATENESS_MS, PartitionClock
from contract.windows import iso_date


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: how many event files the lake had and has, and the first date that is still open somewhere."""

    before: int
    after: int
    open_from: str

    def document(self) -> dict[str, object]:
        """Return it as ``--json`` shows it."""
        return {"files_before": self.before, "files": self.after, "open_from": self.open_from}

    def lines(self) -> list[str]:
        """Return it as the command prints it."""
        over = f"Dates before {self.open_from} are over" if self.open_from else "No date is over yet"
        return [f"{self.before} files of events became {self.after}. {over}"]


def compact(lake: Lake, before: str = LAST_DATE) -> Compacted:
    """Make one file of each date that is over and lies before the date ``before``, in each partition.

    A date is over in a partition where no event of it can be valid any more: its end lies 48 h behind the partition's clock.

    Raises:
        CannotJudge: the lake is empty.
        InfrastructureError: another process writes the lake, the disk is full, or a file is not what was committed.
    """
    if not lake.partitions():
        raise CannotJudge("The lake is empty", f"{lake} holds no committed event", "Archive some events first")
    with lake.writing():
        lake.sweep(replaced=True)
        found = len(lake.event_files())
        over = [_compact_partition(lake, partition, before) for partition in lake.partitions()]
        return Compacted(found, len(lake.event_files()), min(over))


def _compact_partition(lake: Lake, partition: int, before: str) -> str:
    """Compact one partition; return the first date that is not over in it, or nothing where it has no commit."""
    commits = lake.commits(partition)
    open_from = _open_from(commits[-1]) if commits else ""
    moved: dict[str, str] = {}
    for date, parts in _parts(commits, min(open_from, before)).items():
        if len(parts) > 1:
            moved.update(dict.fromkeys(parts, _merged(lake, partition, date, parts)))
    if moved:
        lake.replace(partition, [_moved(commit, moved) for commit in commits])
    return open_from


def _open_from(last: Commit) -> str:
    """Return the first date of which an event behind the last commit may still be valid."""
    now_ms = PartitionClock(last.received_ms, last.watermark_ms).now_ms
    return "" if now_ms is None else iso_date(max(now_ms - LATENESS_MS, 0))


@dataclass
class _Part:
    """A file to merge: its rows, and the offsets of the commits that name it."""

    first: int
    next: int
    rows: int = 0


def _parts(commits: Sequence[Commit], before: str) -> dict[str, dict[str, _Part]]:
    """Return the files of each date before one, by their paths."""
    found: dict[str, dict[str, _Part]] = {}
    for commit in commits:
        for file in commit.files:
            if file.date < before:
                part = found.setdefault(file.date, {}).setdefault(file.path, _Part(commit.first, commit.next))
                part.next, part.rows = commit.next, part.rows + file.rows
    return found


def _merged(lake: Lake, partition: int, date: str, parts: Mapping[str, _Part]) -> str:
    """Write the rows of some files to one, in the order of their offsets; return its path."""
    table = pa.concat_tables([_read(lake, path, part.rows) for path, part in parts.items()]).sort_by("kafka_offset")
    first, end = min(part.first for part in parts.values()), max(part.next for part in parts.values())
    path = event_path(date, partition, first, end)
    with placed_whole(lake.folder / path) as temporary:
        pq.write_table(table, temporary)
    return path


def _read(lake: Lake, path: str, rows: int) -> pa.Table:
    """Read a file; it has to hold what was committed."""
    place = lake.folder / path
    try:
        with pq.ParquetFile(place) as file:
            table = file.read(use_threads=False)  # most are tiny
    except (OSError, pa.ArrowException) as error:
        raise _unlike(place, getattr(error, "strerror", None) or str(error)) from error
    if not table.schema.equals(LAKE_SCHEMA):
        raise _unlike(place, "its columns are not those of the lake")
    if len(table) != rows:
        raise _unlike(place, f"it has {len(table)} rows, {rows} were committed")
    return table


def _unlike(place: Path, why: str) -> InfrastructureError:
    todo = "Put it back from a copy, or remove the lake and archive the log again"
    return InfrastructureError(f"The lake's file {place} cannot be compacted", why, todo)


def _moved(commit: Commit, moved: Mapping[str, str]) -> Commit:
    """Return a commit whose files are named by their new paths."""
    files = [LakeFile(moved.get(file.path, file.path), file.date, file.rows) for file in commit.files]
    return msgspec.structs.replace(commit, files=files)
