"""The archiver: each record in the lake once, whatever dies; bad ones apart, with their reason."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from contract.home import Home
from contract.keys import SERVED
from contract.lake import Lake
from contract.records import REASONS
from streaming.archive import PartitionArchive, archive_served, served_end
from streaming.log import MemoryLog
from streaming.outbox import served
from tests.logs import home_of, listeners_of, one_log, written
from tests.toylake import ToyLog

PARTITIONS = 2


def logged() -> ToyLog:
    return written([one_log(f"archive/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20, 30])


def offsets(lake: Lake) -> Counter[tuple[int, int]]:
    """How often each record is in the lake, good or bad."""
    rejected = [lake.folder / c.rejected_file for p in range(PARTITIONS) for c in lake.commits(p) if c.rejected_file]
    tables = [pq.read_table(path, partitioning=None) for path in [*lake.files(), *rejected]]
    return Counter(
        pair for t in tables for pair in zip(t["kafka_partition"].to_pylist(), t["kafka_offset"].to_pylist(), strict=True)
    )


def records(log: ToyLog) -> set[tuple[int, int]]:
    return {(p, r.offset) for p, found in log.records.items() for r in found if r.key is not None}


class Killed(BaseException):
    """What happens to a process in a test."""


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_file_the_next_run_leaves_each_record_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    log, home, rng = logged(), home_of(tmp_path)[0], random.Random(seed)
    replace, doomed, calls = Path.replace, set(rng.sample(range(1, 120), 40)), [0]

    def deadly(path: Path, target: Path) -> Path:
        calls[0] += 1
        if calls[0] in doomed:
            raise Killed
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", deadly)
    deaths = 0
    while True:
        try:
            _archive(log, home, rng.randint(3, 30))
            break
        except Killed:
            deaths += 1
    assert deaths > 10
    found = offsets(Lake(home.lake))
    assert set(found) == records(log)
    assert set(found.values()) == {1}
    assert not list(home.lake.rglob("*.tmp"))


def _archive(log: ToyLog, home: Home, size: int) -> None:
    for partition, found in log.records.items():
        archive = PartitionArchive.resume(Lake(home.lake), partition, PARTITIONS)
        for start in range(archive.next, len(found), size):
            archive.absorb(found[start : start + size])
            archive.flush()


def test_archiver_and_consumer_reject_the_same_records(tmp_path: Path) -> None:
    log, home = logged(), home_of(tmp_path)[0]
    lake = log.archive(home, commits=4)
    for partition in range(PARTITIONS):
        files = [lake.folder / c.rejected_file for c in lake.commits(partition) if c.rejected_file]
        kept = [row for path in files for row in pq.read_table(path).to_pylist()]
        dead = [letter for step in log.consume(log.path(home, partition)) for letter in step.dead]
        assert [(d.record.offset, d.reason, d.record.value) for d in dead] == [
            (row["kafka_offset"], row["reason"], row["value"]) for row in kept
        ]
        assert {d.reason for d in dead} <= set(REASONS)
        assert dead


def test_flushing_nothing_writes_nothing(tmp_path: Path) -> None:
    home = home_of(tmp_path)[0]
    PartitionArchive.resume(Lake(home.lake), 0, PARTITIONS).flush()
    assert Lake(home.lake).commits(0) == []


def test_served_rows_are_archived_once_and_behind_the_last_file(tmp_path: Path) -> None:
    log, home = logged(), home_of(tmp_path)[0]
    topic = MemoryLog(PARTITIONS)
    steps = log.consume(log.path(home, 0))
    rows = [step.rows for step in steps if step.rows is not None and step.snapshot_ms is None and len(step.rows)]
    for one in rows:
        topic.append(SERVED, [(0, None, entry[1:]) for entry in served(one, 1.0)])
    while found := topic.read(SERVED, {0: served_end(home.served, 0)}):
        archive_served(home.served, 0, found[0][:3])
    names = sorted(home.served.glob("p00-*.parquet"))
    assert len(names) == -(-len(rows) // 3)
    assert sum(pq.read_metadata(path).num_rows for path in names) == sum(map(len, rows))
