"""``skewlab bench features``: the features of a big night, by Spark and by DuckDB over the same files, in turn.

1. the same features by both, from the events alone: equal in every value, then timed in turn;
2. the night after, from the tiles that a night wrote before;
3. the first of these again with fewer and with more events, and listeners in proportion;
4. neighbours of many listeners.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import psutil
import pyarrow as pa

from batch.listens import Job
from batch.rows import rows_as_of
from contract.errors import CannotJudge
from contract.lake import Lake
from contract.settings import Settings
from contract.versions import Version, Versions
from contract.windows import DAY_MS
from lab.bench.lake import bench_lake, bench_version, bench_world
from lab.bench.neighbours import measure
from lab.bench.report import Row, cores, judged
from lab.bench.sql import Baseline
from lab.bench.watching import repeatedly
from lab.job import open_job
from monitoring.compare import align, mismatches

MEMORY = "2500m"
"""The heap of the driver; with all else that a JVM takes it stays below 4 GB."""


@dataclass(frozen=True)
class Size:
    """How big a run is. ``sizes`` are events; the one that is held against DuckDB is ``events``."""

    events: int
    sizes: Sequence[int]
    events_a_listener: int
    neighbours: int
    rounds: int
    claim: bool

    def listeners(self, events: int) -> int:
        """Return how many listeners there are to so many events."""
        return events // self.events_a_listener


FULL = Size(10_000_000, (1_000_000, 3_000_000, 10_000_000, 30_000_000), 100, 100_000, rounds=3, claim=True)
SMALL = Size(100_000, (30_000, 100_000), 100, 3_000, rounds=1, claim=False)


@dataclass
class Bench:
    """A measurement on one Spark session and one DuckDB; what it is made of is kept in ``folder`` for the next time."""

    size: Size
    folder: Path
    job: Job
    baseline: Baseline
    say: Callable[[str], None]
    _peak: int = field(default=0, init=False)

    def rows(self) -> list[Row]:
        """Measure everything."""
        with self._watched():
            full, incremental, warm = self._night(self.size.events)
            seconds = {events: warm if events == self.size.events else self._alone(events) for events in self.size.sizes}
        exponent = float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])
        self.say(f"neighbours of {self.size.neighbours:,} listeners")
        near = measure(self.size.neighbours)
        rows = [
            Row("full_vs_duckdb", full, "times", "lower", "DuckDB, one SQL statement over the same files", 2.0),
            Row("incremental_vs_full", incremental, "times", "lower", "the full night of the same run", 0.2),
            Row("driver_memory_gb", self._peak / 1e9, "GB", "lower", None, 4.0),
            Row("growth_exponent", exponent, "", "lower", f"nights of {_listed(self.size.sizes)} events", 1.0),
            Row("neighbours_s", near.seconds, "s", "lower", None, 60.0),
            Row("neighbours_recall", near.recall, "", "higher", "exact search over the same vectors, at 10", 0.95),
            Row("neighbours_recall_engagement", near.recall_engagement, "", "higher", "exact cosines of engagement rows, at 10"),
            *(Row(f"night_s_{events}", value, "s") for events, value in seconds.items()),
        ]
        return [judged(row, claim=self.size.claim) for row in rows]

    def _night(self, events: int) -> tuple[float, float, float]:
        """Return full / DuckDB, incremental / full, each the median of the rounds, and the seconds of a full night."""
        lake, version = self._lake(events)
        as_of = lake.nights()[-2]
        self._require_equal(self._full(lake, version, as_of), self.baseline.rows(lake, version, as_of))
        self._keep_tiles(lake, version, as_of)
        self._as_kept()
        self._require_equal(self._next(lake, version, as_of), self.baseline.rows(lake, version, as_of + DAY_MS))
        rounds = []
        for number in range(self.size.rounds):
            baseline = self._timed(lambda: self.baseline.rows(lake, version, as_of))
            full = self._timed(lambda: self._full(lake, version, as_of))
            self._as_kept()
            incremental = self._timed(lambda: self._next(lake, version, as_of))
            self.say(f"round {number + 1}: DuckDB {baseline:.1f} s, full {full:.1f} s, the night after {incremental:.1f} s")
            rounds.append((full / baseline, incremental / full, full))
        ratio, share, seconds = (median(values) for values in zip(*rounds, strict=True))
        return ratio, share, seconds

    def _alone(self, events: int) -> float:
        """Return the seconds of a full night, the better of two."""
        lake, version = self._lake(events)
        found = min(self._timed(lambda: self._full(lake, version, lake.nights()[-2])) for _ in range(2))
        self.say(f"{events:,} events: {found:.1f} s")
        return found

    def _lake(self, events: int) -> tuple[Lake, Version]:
        """Return the lake of a size; made where there is none yet."""
        listeners = self.size.listeners(events)
        folder = self.folder / str(events)
        if not (folder / "versions" / "bench").exists():
            self.say(f"making {events:,} events of {listeners:,} listeners")
            shutil.rmtree(folder, ignore_errors=True)
            bench_lake(folder / "lake", events, bench_world(listeners))
            bench_version(folder / "versions", bench_world(listeners))
        return Lake(folder / "lake"), Versions(folder / "versions").get("bench")

    def _full(self, lake: Lake, version: Version, as_of_ms: int) -> pa.Table:
        """Compute a night from its events."""
        return rows_as_of(Job(self.job.spark, lake), version, as_of_ms, lake.cut(as_of_ms))

    def _keep_tiles(self, lake: Lake, version: Version, as_of_ms: int) -> None:
        """Compute a night whose tiles are not there, and keep what it writes."""
        for folder in (self._tiles, self._kept):
            shutil.rmtree(folder, ignore_errors=True)
        seconds = self._timed(lambda: self._tiled(lake, version, as_of_ms))
        self.say(f"the night that writes 28 days of tiles: {seconds:.1f} s")
        self._tiles.rename(self._kept)

    def _next(self, lake: Lake, version: Version, as_of_ms: int) -> pa.Table:
        """Compute the night after the one whose tiles are kept."""
        return self._tiled(lake, version, as_of_ms + DAY_MS)

    def _tiled(self, lake: Lake, version: Version, as_of_ms: int) -> pa.Table:
        job = Job(self.job.spark, lake, tiles=self._tiles, tiles_from=0)
        return rows_as_of(job, version, as_of_ms, lake.cut(as_of_ms))

    def _as_kept(self) -> None:
        """Put the kept tiles back, as links to the same files."""
        shutil.rmtree(self._tiles, ignore_errors=True)
        shutil.copytree(self._kept, self._tiles, copy_function=os.link)

    @property
    def _tiles(self) -> Path:
        return self.folder / "tiles"

    @property
    def _kept(self) -> Path:
        return self.folder / "tiles-kept"

    def _require_equal(self, spark: pa.Table, duck: pa.Table) -> None:
        pair = align(spark, duck, ("user_id", "as_of_ms", "cut"))
        wrong = mismatches(pair)
        if wrong or len(pair.missing) or len(pair.extra):
            raise CannotJudge("Spark and DuckDB differ", f"{wrong}, {len(pair.missing)} and {len(pair.extra)} rows alone")
        self.say(f"{len(pair):,} rows, equal in every value")

    @staticmethod
    def _timed(work: Callable[[], object]) -> float:
        begun = perf_counter()
        work()
        return perf_counter() - begun

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Note the most memory that the driver's JVM holds meanwhile."""
        jvm = psutil.Process(self.job.spark._jvm.java.lang.ProcessHandle.current().pid())  # type: ignore[union-attr]

        def look() -> None:
            self._peak = max(self._peak, jvm.memory_info().rss)

        with repeatedly(look, 0.1):
            yield


def bench_features(settings: Settings, size: Size, say: Callable[[str], None]) -> list[Row]:
    """Measure; lakes and tiles are kept below the home's ``bench``."""
    job = open_job(settings.model_copy(update={"spark_memory": MEMORY}))
    return Bench(size, settings.places.root / "bench", job, Baseline(min(cores(), 2)), say).rows()


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(f"{size:,}" for size in sizes)
