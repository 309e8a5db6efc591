"""Two archives of one log: whoever was killed over it, each record stands in both once, and so does every row that was served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch.listens import REQUEST
from contract.home import Home
from contract.lake import Lake
from monitoring.night import served_rows

_BEYOND_MS = 1 << 62
_PLACE = ("kafka_partition", "kafka_offset")


def differences(mine: Home, calm: Home) -> list[str]:
    """Return what of an archive is not as in the calm one: which records, where they stand, what the log says of them."""
    differ = {
        "events": not events(mine).equals(events(calm)),
        "bad records": not _rejected(mine).equals(_rejected(calm)),
        "served rows": not served(mine).equals(served(calm)),
        "ends, clocks, watermarks or versions": _marks(Lake(mine.lake)) != _marks(Lake(calm.lake)),
    }
    return [f"the lake: {what} are not those of the calm run" for what, differs in differ.items() if differs]


def events(home: Home) -> pa.Table:
    """Return the events of a home's lake, as many times as they stand there, by partition and offset."""
    lake = Lake(home.lake)
    return _read(lake.files(), _PLACE)


def served(home: Home) -> pa.Table:
    """Return a home's archived served rows, each request once: the relay may send a row twice."""
    found = served_rows(home.served, -1, _BEYOND_MS)
    first = found.select(list(REQUEST)).to_pandas().drop_duplicates().index
    return _in_order(found.take(pa.array(first, pa.int64())), ("partition", "cut", "user_id"))


def _rejected(home: Home) -> pa.Table:
    lake = Lake(home.lake)
    names = [commit.rejected_file for p in lake.partitions() for commit in lake.commits(p) if commit.rejected_file is not None]
    return _read([lake.folder / name for name in names], _PLACE)


def _read(files: Sequence[Path], order: Sequence[str]) -> pa.Table:
    return _in_order(pq.read_table(files, partitioning=None), order) if files else pa.table({})


def _in_order(table: pa.Table, order: Sequence[str]) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in order]).combine_chunks()


def _marks(lake: Lake) -> list[object]:
    """Return, by partition, what the commits say beside their files: where it ends, its clock, its watermarks and versions."""
    found: list[object] = []
    for partition in lake.partitions():
        commits = lake.commits(partition)
        ends = [(last.next, last.received_ms, last.watermark_ms) for last in commits[-1:]]
        marks = [mark for commit in commits for mark in commit.watermarks.items()]
        found.append((ends, marks, [one for commit in commits for one in commit.activations]))
    return found
