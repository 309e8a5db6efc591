"""What compaction is worth: the same lake read as many small files and as few, in turn.

``python -m lab.bench.compaction FOLDER`` makes both lakes in a folder of its own.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.parquet as pq

from contract.event import Events
from contract.lake import Commit, Lake, LakeFile, event_path
from contract.records import partition_of
from contract.windows import DAY_MS, HOUR_MS, iso_date
from lab.bench.report import machine
from lab.compact import compact
from lab.world import World

DAYS = 28
OPEN_D = 3
"""Days behind them, which late events may still reach."""
PARTITIONS = 8
RUNS_A_DAY = 24
LISTENERS = 2_000
SEED = 7
ROUNDS = 5


def small_files(folder: Path) -> tuple[Lake, str]:
    """Archive a world hour by hour; return its lake, and the last of the dates that are over."""
    lake, world = Lake(folder), World(SEED, LISTENERS, history_days=DAYS + OPEN_D)
    lake.settle(PARTITIONS)
    position = [0] * PARTITIONS
    for day in range(-DAYS - OPEN_D, 0):
        found = world.received(day)
        mine = np.array([partition_of(user, PARTITIONS) for user in found.user_id])
        for run in range(RUNS_A_DAY):
            end_ms = world.midnight(day) + (run + 1) * HOUR_MS
            now = (found.received_at_ms >= end_ms - HOUR_MS) & (found.received_at_ms < end_ms)
            for p in range(PARTITIONS):
                position[p] = _archive(lake, p, position[p], found.take(now & (mine == p)), end_ms)
    return lake, iso_date(world.midnight(-OPEN_D) - 1)


def _archive(lake: Lake, partition: int, first: int, events: Events, end_ms: int) -> int:
    """Write an hour of a partition as the archiver does, its watermark behind it at midnight; return the next offset."""
    marks = {end_ms: first + len(events)} if end_ms % DAY_MS == 0 else {}
    end = first + len(events) + len(marks)
    if end == first:
        return first
    events, day = events.replace(offset=np.arange(first, first + len(events))), events.ts_ms // DAY_MS
    files = []
    for date in np.unique(day).tolist():
        path, rows = event_path(iso_date(date * DAY_MS), partition, first, end), events.take(day == date)
        (lake.folder / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows.to_arrow(partition), lake.folder / path)
        files.append(LakeFile(path, iso_date(date * DAY_MS), len(rows)))
    lake.append(Commit(partition, first, end, end_ms - 1, max(marks, default=None), marks, [], files))
    return end


def read_log(lake: Lake, until: str) -> int:
    """Read the lake's log once: what ``Lake.cut``, ``uris`` and each other question costs. Return the number of files."""
    return len(lake.event_files(to_date=until))


def read_rows(lake: Lake, until: str) -> int:
    """Read all columns of all dates that are over, as pyarrow does with two threads; return the number of rows."""
    return len(pq.read_table(lake.files(to_date=until), partitioning=None))


def _seconds(act: Callable[..., object], *arguments: object) -> float:
    begin = time.monotonic()
    act(*arguments)
    return time.monotonic() - begin


def _main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    many, until = small_files(folder / "many")
    shutil.copytree(folder / "many", folder / "few")
    few = Lake(folder / "few")
    took = _seconds(compact, few)
    compact(few)  # removes what was replaced
    print(f"{machine()['cores']} cores; {read_rows(many, until):,} rows; compacted in {took:.1f} s")
    for name, read in (("log", read_log), ("rows", read_rows)):
        assert name == "log" or read(many, until) == read(few, until)
        times = [(_seconds(read, many, until), _seconds(read, few, until)) for _ in range(ROUNDS)]
        before, after = (median(side) for side in zip(*times, strict=True))
        print(f"{name}: {before:.2f} s from {read_log(many, until):,} files, {after:.3f} s from {read_log(few, until):,}")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
