"""A small world's log, and the live path of each partition as it stands when day 0 begins: the cheapest thing that has it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from contract.records import Watermark
from contract.skew import Acting, RawRecord, Skew
from contract.versions import Versions
from lab.source import WorldSource
from lab.world import World
from streaming.overrides import Overrides
from streaming.replay import Stretch, copied
from streaming.step import PartitionPath
from tests.toylake import ToyLog, home_with

LISTENERS, HISTORY, DAYS, PARTITIONS, STEP = 60, 10, 3, 2, 100


@dataclass(frozen=True)
class Begun:
    """One partition: its path before day 0, and the records from there on."""

    path: PartitionPath
    records: Sequence[RawRecord]

    def stretch(self, users: Sequence[str] | None = None) -> Stretch:
        return Stretch.of(self.path, self.records, STEP, users)

    def consumed(self, *skews: Skew) -> pa.Table:
        """The rows of all steps of the live path itself."""
        path, log = copied(self.path), ToyLog(PARTITIONS)
        path.overrides = Overrides([Acting(skew, {path.partition: path.offset}) for skew in skews])
        log.records[path.partition] = [RawRecord(i, None, None) for i in range(path.offset)] + list(self.records)
        steps = log.consume(path, size=STEP)
        return pa.concat_tables(step.rows.to_arrow() for step in steps if step.rows is not None and len(step.rows))


def log_of(world: World, days: int, partitions: int) -> tuple[ToyLog, dict[int, int]]:
    """The log of a world's history and days, and the offsets at which day 0 begins."""
    source, log, onset = WorldSource(world, days), ToyLog(partitions), {}
    for day in range(-world.history_days, days):
        if day == 0:
            onset = {partition: len(records) for partition, records in log.records.items()}
        for message in source.messages(day, partitions):
            log.raw(*message)
        log.control(Watermark(source.midnight(day + 1)))
    return log, onset


def begun(folder: Path) -> list[Begun]:
    world = World(7, LISTENERS, history_days=HISTORY)
    log, onset = log_of(world, DAYS, PARTITIONS)
    home, _ = home_with(folder, world.catalogue)
    version_of = cache(Versions(home.versions).get)
    found = []
    for partition in range(PARTITIONS):
        path = log.path(home, partition)
        path.version_of = version_of
        log.consume(path, upto=onset[partition], size=STEP)
        found.append(Begun(path, log.records[partition][onset[partition] :]))
    return found
