"""The lab's hands: history as a log like any other, and what the live path consumes of what was sent."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.versions import Versions
from contract.windows import DAY_MS
from lab.pipeline import Pipeline
from lab.source import WorldSource
from lab.world import World
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore

PARTITIONS = 8


def begun(folder: Path, listeners: int) -> tuple[Pipeline, WorldSource]:
    """A pipeline that has a world's history behind it."""
    source = WorldSource(World(7, listeners), 2)
    home, store = Home(folder), MemoryStore()
    Versions(home.versions).publish_initial(source.catalogue)
    pipeline = Pipeline(home, MemoryLog(PARTITIONS), store, Member(home, store, PARTITIONS, 50), PARTITIONS)
    pipeline.archive_history(source.history(), source.midnight(0))
    pipeline.open()
    return pipeline, source


@pytest.mark.parametrize("listeners", [10, 30, 60])
def test_no_event_of_history_is_lost_however_small_the_world(tmp_path: Path, listeners: int) -> None:
    pipeline, source = begun(tmp_path, listeners)
    lake = Lake(pipeline.home.lake)
    assert sum(commit.rejected for p in range(PARTITIONS) for commit in lake.commits(p)) == 0
    assert sum(pq.read_metadata(path).num_rows for path in lake.files()) == len(source.history())


def test_history_ends_at_offset_0_and_has_its_watermarks(tmp_path: Path) -> None:
    pipeline, source = begun(tmp_path, 10)
    lake = Lake(pipeline.home.lake)
    assert [lake.end(partition) for partition in lake.partitions()] == [0] * PARTITIONS
    assert lake.nights() == [source.midnight(day) for day in range(-28, 0)]
    assert all(offset < 0 for at in lake.nights() for offset in lake.cut(at).values())


def test_all_that_was_sent_is_consumed_and_archived_once(tmp_path: Path) -> None:
    pipeline, source = begun(tmp_path, 150)
    pipeline.send(source.messages(0, PARTITIONS))
    pipeline.control(Watermark(source.midnight(1)))
    seen: list[int] = []
    done = pipeline.consume(lambda _, records: seen.append(len(records)))
    pipeline.archive()
    assert pipeline.lag() == 0
    assert done.records == sum(pipeline.ends().values()) == sum(seen)
    assert done.records == done.events + sum(done.dead.values()) + PARTITIONS
    assert len(done.dead) > 1, "bad records have their reasons"
    lake = Lake(pipeline.home.lake)
    assert {partition: lake.end(partition) for partition in lake.partitions()} == pipeline.ends()
    assert source.midnight(1) - source.midnight(0) == DAY_MS
    assert pipeline.consume().records == 0
