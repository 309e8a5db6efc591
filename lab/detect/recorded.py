"""A world, lived through once: its lake, and the batch path's rows of every midnight. No broker: both paths' code, one process.

What a run does day by day is done here without the live path: records are archived, a first night trains the models, and at
every further midnight everybody's rows are computed with them. So the log, offset for offset, is that of a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import pyarrow as pa

from batch.listens import Job
from batch.night import run_night
from batch.rows import rows_as_of
from contract.home import Home
from contract.records import Watermark
from contract.settings import Settings
from contract.skew import Skew
from contract.versions import Version, Versions
from lab.pipeline import Pipeline
from lab.scenario import Scenario
from lab.source import Source
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.replay import Stretch, stretch_of
from streaming.store import MemoryStore


@dataclass(frozen=True)
class Recorded:
    """See the module. ``begins[d]`` are the offsets at which day d begins, ``batch[d]`` the rows of the midnight that ends it."""

    home: Home
    job: Job
    source: Source
    version: Version
    begins: Sequence[dict[int, int]]
    batch: Sequence[pa.Table]
    step_events: int
    served_share: float

    @property
    def days(self) -> int:
        """How many days there are."""
        return len(self.batch)

    def midnight(self, day: int) -> int:
        """Return the instant of the night of a day."""
        return self.source.midnight(day + 1)

    def cuts(self, day: int) -> dict[int, int]:
        """Return the cut of the night of a day."""
        return self.job.lake.cut(self.midnight(day))

    def skewed(self, skews: Sequence[Skew]) -> Job:
        """Return the batch job under some skews."""
        return replace(self.job, skews=tuple(skews))

    def batch_rows(self, day: int, skews: Sequence[Skew]) -> pa.Table:
        """Compute the rows of a night by the batch path, under some skews."""
        return rows_as_of(self.skewed(skews), self.version, self.midnight(day), self.cuts(day)) if skews else self.batch[day]

    def before(self, day: int, count: int) -> list[pa.Table]:
        """Return the batch path's rows of the last midnights up to the begin of a day, days of history too, oldest first."""
        earlier = range(day - count, min(day, 0))
        rows = [rows_as_of(self.job, self.version, self.midnight(d), self.cuts(d)) for d in earlier]
        return [*rows, *self.batch[max(day - count, 0) : day]]

    def stretches(self, day: int, until: int, lag: Sequence[Skew] = ()) -> list[Stretch]:
        """Return each partition's stretch of the log from the begin of a day to the midnight before another one begins."""
        version_of = cache(Versions(self.home.versions).get)
        last = self.cuts(until - 1)
        return [
            stretch_of(self.job.lake, version_of, partition, first, last[partition] + 1, self.step_events, lag=lag)
            for partition, first in sorted(self.begins[day].items())
        ]


def record(job: Job, home: Home, source: Source, settings: Settings, seed: int) -> Recorded:
    """Live through all days of a source in a fresh home; ``job`` works on that home's lake."""
    log, store, partitions = MemoryLog(settings.partitions), MemoryStore(), settings.partitions
    member = Member(home, store, partitions, settings.step_events)
    pipeline = Pipeline(home, log, store, member, partitions)
    Versions(home.versions).publish_initial(source.catalogue)
    pipeline.archive_history(source.history(), source.midnight(0))
    pipeline.open_archives()
    pipeline.control(Watermark(source.midnight(0)))
    pipeline.archive()
    version = run_night(job, home, source.midnight(0), seed, Scenario(name="recorded").ranker)
    begins, batch = [], []
    for day in range(source.days):
        pipeline.activate(version.name)  # where a run activates the version of the night before
        begins.append(dict(pipeline.ends()))
        pipeline.send(source.messages(day, partitions))
        pipeline.control(Watermark(source.midnight(day + 1)))
        pipeline.archive()
        batch.append(rows_as_of(job, version, source.midnight(day + 1), job.lake.cut(source.midnight(day + 1))))
    return Recorded(home, job, source, version, begins, batch, settings.step_events, settings.served_share)
