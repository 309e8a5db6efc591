"""Day tiles: a day's partial sums, written once by the night that first needs them, read by all nights after.

A tile lies in ``tiles/KIND/DATE/KEY``. The key tells all that the tile depends on: the code that makes it, the constants, the
number of buckets, and which records of the lake count for its day and the day before, where replays look back to. It is worked
out from the lake's log alone. So a night finds the days that late events touched, or another code version made, by their
keys: there is no such tile, and it is computed. A tile gets its place in one move; half a tile is never read.

Tiles are bucketed by listener, as Spark's tables are: a night adds up 28 days without moving a row from core to core.
"""

from __future__ import annotations

import hashlib
import inspect
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

import batch.features.listening
import batch.features.sessions
import batch.frames
import batch.listens
import batch.partials
from batch.frames import Frames, Kind, frame_of
from batch.listens import Job, events_below, floored, listens_between
from batch.partials import unit_of
from contract.lake import Commit, Lake
from contract.windows import DAY_MS, days_start, iso_date

EVENTS_A_BUCKET = 1_300_000
EVENTS_A_BUILD = 12_000_000
"""How many events at most are held at a time where tiles are made: some 50 bytes each."""
DRAFT = ".draft-"
OLDEST_D = 35
"""Tiles of days so long before a night are removed by it."""

_SPARK_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"
_MODULES = (batch.listens, batch.partials, batch.frames, batch.features.listening, batch.features.sessions)


@cache
def code_version() -> str:
    """Return a hash of the code that tiles are made by."""
    return hashlib.sha256("".join(map(inspect.getsource, _MODULES)).encode()).hexdigest()


def _counts(lake: Lake, cuts: dict[int, int], start_ms: int, end_ms: int) -> dict[str, int]:
    """Return how many events the lake holds for each date of [start, end); those beyond a cut may be among them."""
    found: dict[str, int] = {}
    for date, rows in ((f.date, f.rows) for p, cut in cuts.items() for c in lake.commits(p) if c.first < cut for f in c.files):
        if iso_date(start_ms) <= date < iso_date(end_ms):
            found[date] = found.get(date, 0) + rows
    return found


@dataclass(frozen=True)
class TileStore:
    """The tiles of a job, for the night at an instant with these cuts."""

    job: Job
    as_of_ms: int
    cuts: dict[int, int]

    @cached_property
    def buckets(self) -> int:
        """Into how many buckets listeners are divided, by hash: at least one."""
        return max(1, -(-self.events // EVENTS_A_BUCKET))

    @cached_property
    def events(self) -> int:
        """How many events the window's dates hold, those beyond the cuts among them."""
        return sum(self._counts.values())

    @property
    def worthwhile(self) -> bool:
        """Tell whether the night is read from tiles: it is big enough, no skew acts, and all windows begin with a day."""
        job = self.job
        whole = not job.skews and unit_of(job.constants, DAY_MS) == DAY_MS and self.as_of_ms % DAY_MS == 0
        return job.tiles is not None and whole and self.events >= job.tiles_from

    @cached_property
    def _start_ms(self) -> int:
        return days_start(self.as_of_ms, self.job.constants.month_window_d)

    @cached_property
    def _counts(self) -> dict[str, int]:
        return _counts(self.job.lake, self.cuts, self._start_ms, self.as_of_ms)

    @contextmanager
    def frames(self, kinds: Mapping[str, Kind]) -> Iterator[Frames]:
        """Give the frames of the night, by day; tiles that are missing are made first."""
        keys = self._keys()
        starts = {name: days_start(self.as_of_ms, kind.window_d(self.job.constants)) for name, kind in kinds.items()}
        places = {
            name: {day: self._place(name, day, keys) for day in range(start, self.as_of_ms, DAY_MS)}
            for name, start in starts.items()
        }
        missing = {name: [day for day, place in found.items() if not place.exists()] for name, found in places.items()}
        for run in _runs(sorted(set().union(*missing.values())), self._counts):
            self._make(kinds, run, {name: {d: places[name][d] for d in run if d in missing[name]} for name in kinds})
        self._forget(keys)
        tables = {name: f"tiles_{name}_{uuid.uuid4().hex[:12]}" for name in kinds}
        try:
            yield {name: self._read(tables[name], name, kind, places[name]) for name, kind in kinds.items()}
        finally:
            for table in tables.values():
                self.job.spark.sql(f"DROP TABLE IF EXISTS {table}")

    @property
    def _folder(self) -> Path:
        assert self.job.tiles is not None
        return self.job.tiles

    def _place(self, kind: str, day_ms: int, keys: Mapping[str, str]) -> Path:
        date = iso_date(day_ms)
        return self._folder / kind / date / keys[date]

    def _keys(self) -> dict[str, str]:
        """Return the key of each date of the night's window."""
        counted: dict[str, list[tuple[str, int]]] = {}
        for partition, cut in self.cuts.items():
            for commit in self.job.lake.commits(partition):
                for file in commit.files if commit.first < cut else ():
                    counted.setdefault(file.date, []).append((file.path, _reach(commit, cut)))
        common = (code_version(), self.job.constants, self.buckets)

        def key(day: int) -> str:
            days = [sorted(counted.get(iso_date(d), [])) for d in (day - DAY_MS, day)]
            return hashlib.sha256(repr((*common, days)).encode()).hexdigest()[:20]

        return {iso_date(day): key(day) for day in range(self._start_ms, self.as_of_ms, DAY_MS)}

    def _make(self, kinds: Mapping[str, Kind], run: Sequence[int], missing: Mapping[str, Mapping[int, Path]]) -> None:
        """Make the missing tiles of a run of days, all from one reading."""
        start, end = run[0], run[-1] + DAY_MS
        listens = listens_between(self.job, start, end, self.cuts).persist(StorageLevel.DISK_ONLY)
        try:
            for name, places in missing.items():
                if places:
                    events = events_below(self.job, start, end, self.cuts) if kinds[name].raw else listens
                    wanted = floored(F.col("ts_ms"), DAY_MS).isin(list(places)) if len(places) < len(run) else F.lit(True)
                    frame = frame_of(kinds[name], listens.where(wanted), events.where(wanted), DAY_MS, self.job.constants)
                    self._write(name, frame, places)
        finally:
            listens.unpersist()

    def _write(self, name: str, frame: DataFrame, places: Mapping[int, Path]) -> None:
        draft = self._folder / name / f"{DRAFT}{uuid.uuid4().hex[:12]}"
        table = f"draft_{uuid.uuid4().hex[:12]}"
        writer = frame.withColumn("day", F.col("start_ms")).write.partitionBy("day").option("path", _location(draft))
        if "request" in frame.columns:
            writer = writer.bucketBy(self.buckets, "request")
        try:
            writer.saveAsTable(table)
            for day, place in places.items():
                made = draft / f"day={day}"
                made.mkdir(exist_ok=True)  # a day without a row
                place.parent.mkdir(exist_ok=True)
                made.rename(place)
        finally:
            self.job.spark.sql(f"DROP TABLE IF EXISTS {table}")
            shutil.rmtree(draft, ignore_errors=True)

    def _read(self, table: str, name: str, kind: Kind, places: Mapping[int, Path]) -> DataFrame:
        """Return tiles as one frame, which Spark knows by the name of a table to be bucketed."""
        files = {day: next(place.glob("*.parquet"), None) for day, place in places.items()}
        some = next((file for file in files.values() if file is not None), None)
        if some is None:
            nothing = events_below(self.job, 0, 0, self.cuts) if kind.raw else listens_between(self.job, 0, 0, self.cuts)
            return frame_of(kind, nothing, nothing, DAY_MS, self.job.constants)
        sql = self.job.spark.sql
        schema = T.StructType.fromJson(msgspec.json.decode(pq.read_schema(some).metadata[_SPARK_SCHEMA]))
        columns = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in schema)
        clustered = f"CLUSTERED BY (request) INTO {self.buckets} BUCKETS" if "request" in schema.names else ""
        location = _quoted(_location(self._folder / name))
        sql(f"CREATE TABLE {table} ({columns}, day BIGINT) USING parquet PARTITIONED BY (day) {clustered} LOCATION {location}")
        there = [f"PARTITION (day={d}) LOCATION {_quoted(_location(places[d]))}" for d, file in files.items() if file is not None]
        sql(f"ALTER TABLE {table} ADD {' '.join(there)}")
        return self.job.spark.table(table).drop("day")

    def _forget(self, keys: Mapping[str, str]) -> None:
        """Remove the tiles that have been replaced, those too old for any night to come, and what a killed night left."""
        oldest = iso_date(self.as_of_ms - OLDEST_D * DAY_MS)
        for tile in self._folder.glob("*/*/*"):
            date = tile.parent.name
            if date.startswith(DRAFT):
                shutil.rmtree(tile.parent, ignore_errors=True)
            elif date < oldest or keys.get(date, tile.name) != tile.name:
                shutil.rmtree(tile, ignore_errors=True)
                with suppress(OSError):  # another tile of the date is there
                    tile.parent.rmdir()


def _reach(commit: Commit, cut: int) -> int:
    """Return up to which offset a commit counts below a cut: to its end also where only control records stand behind the cut."""
    controls = [*commit.watermarks.values(), *(offset for offset, _ in commit.activations)]
    return commit.next if sum(offset >= cut for offset in controls) >= commit.next - cut else cut


def _runs(days: Sequence[int], counts: Mapping[str, int]) -> Iterator[list[int]]:
    """Divide days into runs of neighbours, none with more events than may be held at a time, but for a day alone."""
    run: list[int] = []
    for day in days:
        full = sum(counts.get(iso_date(d), 0) for d in (*run, day)) > EVENTS_A_BUILD
        if run and (full or day != run[-1] + DAY_MS):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _location(path: Path) -> str:
    return f"file:{path}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
