"""Day tiles: a night that reads them says what a night without them says, and only days that changed are made anew."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

import batch.tiles
from batch.listens import REQUEST, Job
from batch.rows import rows_as_of
from batch.tiles import TileStore
from contract.event import Event
from contract.features import FeatureConstants
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.skew import Skew
from contract.versions import INITIAL, Version, Versions
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, days_start, iso_date, parse_instant
from lab.pipeline import Pipeline
from lab.source import WorldSource
from lab.world import World
from monitoring.compare import align, mismatches
from streaming.archive import PartitionArchive
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore
from tests import logs
from tests.toylake import ToyLog, as_dicts, event, home_with

pytestmark = pytest.mark.spark
PARTITIONS = 2
NIGHTS = 3
SAME: tuple[object, ...] = ({}, [], [])
SESSION_D, MONTH_D = 7, 28
MONTHLY = ("listeners", "listening", "pairs")

Tile = tuple[str, str, str, int, frozenset[tuple[str, int, int]]]
"""Kind, date, key; and the folder and its files as the disk knows them: a tile written anew is never equal."""


@dataclass(frozen=True)
class Nights:
    """Nights in a row over one folder of tiles: what each said, and what lay in the folder behind it."""

    job: Job
    version: Version
    at: Sequence[int]
    rows: Sequence[pa.Table]
    shelves: Sequence[frozenset[Tile]]

    def direct(self, night: int) -> pa.Table:
        """Compute a night from its events."""
        return rows_as_of(replace(self.job, tiles=None), self.version, self.at[night], self.job.lake.cut(self.at[night]))


def nights_of(job: Job, version: Version, at: Sequence[int]) -> Nights:
    rows, shelves = [], []
    for night in at:
        rows.append(rows_as_of(job, version, night, job.lake.cut(night)))
        shelves.append(shelf(job.tiles))
    return Nights(job, version, at, rows, shelves)


def shelf(folder: Path | None) -> frozenset[Tile]:
    assert folder is not None
    return frozenset(
        (
            tile.parent.parent.name,
            tile.parent.name,
            tile.name,
            tile.stat().st_ino,
            frozenset((file.name, file.stat().st_ino, file.stat().st_mtime_ns) for file in tile.iterdir()),
        )
        for tile in folder.glob("*/*/*")
    )


def places(tiles: frozenset[Tile]) -> list[tuple[str, str]]:
    """Return kind and date of tiles; more than one tile at a place would stand there twice."""
    return sorted(tile[:2] for tile in tiles)


def expected(days: set[int], as_of_ms: int) -> list[tuple[str, str]]:
    """Return the places of the days within the windows of a night."""
    reach = {**dict.fromkeys(MONTHLY, MONTH_D), "stretches": SESSION_D}
    return sorted((kind, iso_date(day)) for kind, d in reach.items() for day in days if days_start(as_of_ms, d) <= day < as_of_ms)


def differences(left: pa.Table, right: pa.Table) -> tuple[object, ...]:
    """Return mismatches by feature, and the rows that one side alone has."""
    pair = align(left, right, (*REQUEST, "partition"))
    return mismatches(pair), pair.missing.to_pylist(), pair.extra.to_pylist()


# -- a small world, three nights in a row


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Lake, World]:
    """The lake of three days, archived once a day: behind the midnight that ends it, as a run does."""
    world, home = World(seed=3, users=60, history_days=MONTH_D), Home(tmp_path_factory.mktemp("town"))
    Versions(home.versions).publish_initial(world.catalogue)
    source, store = WorldSource(world, NIGHTS), MemoryStore()
    pipeline = Pipeline(home, MemoryLog(PARTITIONS), store, Member(home, store, PARTITIONS, 100), PARTITIONS)
    pipeline.archive_history(source.history(), world.midnight(0))
    pipeline.open_archives()
    for day in range(NIGHTS):
        pipeline.control(Watermark(world.midnight(day)))
        pipeline.archive()
        pipeline.send(source.messages(day, PARTITIONS))
    pipeline.archive()
    return home, Lake(home.lake), world


@pytest.fixture(scope="module")
def town(lake: tuple[Home, Lake, World], spark: SparkSession) -> Nights:
    home, archived, world = lake
    job = Job(spark, archived, tiles=home.tiles, tiles_from=0)
    return nights_of(job, Versions(home.versions).get(INITIAL), [world.midnight(day) for day in range(NIGHTS)])


@pytest.mark.parametrize("night", range(NIGHTS))
def test_a_night_from_tiles_says_what_a_night_from_events_says(town: Nights, night: int) -> None:
    assert len(town.rows[night]) > 40
    assert differences(town.direct(night), town.rows[night]) == SAME


def test_the_first_night_makes_a_tile_of_each_day_in_its_windows(town: Nights) -> None:
    at = town.at[0]
    assert places(town.shelves[0]) == expected(set(range(at - MONTH_D * DAY_MS, at, DAY_MS)), at)


@pytest.mark.parametrize("night", range(1, NIGHTS))
def test_a_later_night_makes_tiles_of_days_with_new_records_and_of_the_days_after_them(town: Nights, night: int) -> None:
    before, after = (town.job.lake.cut(at) for at in town.at[night - 1 : night + 1])
    touched = days_between(town.job.lake, before, after)
    assert {town.at[night - 1] - DAY_MS, town.at[night - 1]} <= touched, "late events, or the test shows nothing"
    wanted = expected({*touched, *(day + DAY_MS for day in touched)}, town.at[night])
    assert places(town.shelves[night] - town.shelves[night - 1]) == wanted
    assert len(wanted) < len(town.shelves[night]) / 3


def test_a_tile_that_was_replaced_is_gone(town: Nights) -> None:
    for tiles in town.shelves:
        assert len(set(places(tiles))) == len(tiles)


def test_an_earlier_night_again_says_the_same(town: Nights) -> None:
    again = rows_as_of(town.job, town.version, town.at[0], town.job.lake.cut(town.at[0]))
    assert differences(town.rows[0], again) == SAME


def days_between(lake: Lake, before: Mapping[int, int], after: Mapping[int, int]) -> set[int]:
    """Return the days of the events between two cuts, as the lake's files themselves say it."""
    columns = ["kafka_partition", "kafka_offset", "ts_ms"]
    events = pd.concat([pq.ParquetFile(path).read(columns=columns).to_pandas() for path in lake.files()])
    offset, partition = events["kafka_offset"], events["kafka_partition"]
    between = events[(offset >= partition.map(before)) & (offset < partition.map(after))]
    return set((between["ts_ms"] // DAY_MS * DAY_MS).tolist())


# -- when tiles are read, and what their keys tell


class Quiet(Skew):
    """A skew of the batch side that changes nothing."""

    id = "quiet"
    side = "batch"


class Patient(Quiet):
    """Another limit of a skip."""

    def batch_settings(self, constants: FeatureConstants) -> FeatureConstants:
        return replace(constants, music_skip_ms=20_000)


def store_of(town: Nights, **changes: Any) -> TileStore:
    return TileStore(replace(town.job, **changes), town.at[-1], town.job.lake.cut(town.at[-1]))


def test_tiles_are_worth_it_where_a_night_is_big_enough_and_no_skew_acts(town: Nights) -> None:
    events = sum(store_of(town)._counts.values())
    assert 0 < events < Job.tiles_from
    found = {
        "big enough": store_of(town, tiles_from=events).worthwhile,
        "too small": store_of(town, tiles_from=events + 1).worthwhile,
        "no folder": store_of(town, tiles=None).worthwhile,
        "quiet": store_of(town, skews=(Quiet(),)).worthwhile,
        "patient": store_of(town, skews=(Patient(),)).worthwhile,
    }
    assert {name for name, worthwhile in found.items() if worthwhile} == {"big enough"}


@pytest.mark.parametrize(("offset_min", "worthwhile"), [(0, True), (330, False), (-60, False)])
def test_days_that_begin_at_another_hour_are_not_read_from_tiles(
    town: Nights, monkeypatch: pytest.MonkeyPatch, offset_min: int, worthwhile: bool
) -> None:
    monkeypatch.setattr(Job, "constants", FeatureConstants(calendar_offset_min=offset_min))
    assert store_of(town).worthwhile is worthwhile


def test_an_instant_within_a_day_is_not_read_from_tiles(town: Nights) -> None:
    store = store_of(town)
    assert [TileStore(store.job, store.as_of_ms - ms, store.cuts).worthwhile for ms in (0, 1)] == [True, False]


def test_keys_tell_code_constants_and_buckets(town: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [store_of(town)._keys(), store_of(town, skews=(Patient(),))._keys()]
    monkeypatch.setattr(batch.tiles, "EVENTS_A_BUCKET", 1)
    found.append(store_of(town)._keys())
    monkeypatch.undo()
    monkeypatch.setattr(batch.tiles, "code_version", lambda: "another")
    found.append(store_of(town)._keys())
    for keys in found:
        assert len(keys) == MONTH_D
    for of_day in zip(*(keys.values() for keys in found), strict=True):
        assert len(set(of_day)) == len(found)


def test_keys_do_not_depend_on_the_order_of_partitions(town: Nights) -> None:
    store = store_of(town)
    assert TileStore(store.job, store.as_of_ms, dict(reversed(store.cuts.items())))._keys() == store._keys()


# -- a toy log, worked out by hand, in a home with an odd name

NIGHT = parse_instant("2026-03-02")
NEXT = NIGHT + DAY_MS
TOO_LATE = NIGHT + 70 * DAY_MS
"""All that the log holds is older than any window then, and its tiles are too old to be kept."""


def at(days: int, hours: int = 0, minutes: int = 0) -> int:
    """Return an instant by its distance from the first night."""
    return NIGHT + days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS


def play(user: str, ended_ms: int, item: str = "song-a", minutes: int = 1, late_h: int = 0) -> Event:
    return event(user, item, ended_ms, ms_played=minutes * MINUTE_MS, received_at_ms=ended_ms + late_h * HOUR_MS)


TOY = (
    play("edge", at(-28, minutes=-10)),
    play("edge", at(-28, minutes=10)),
    play("once", at(-20, 6)),
    play("across", at(-3, minutes=-1), "song-a", 9),  # 23:50 to 23:59
    play("across", at(-3, minutes=20), "song-b", 10),  # 00:10 to 00:20
    play("reaching", at(-3, minutes=-30), "song-a", 10),  # 23:20 to 23:30
    play("reaching", at(-3, minutes=15), "song-b", 20),  # 23:55 to 00:15
    play("apart", at(-3, minutes=-40), "song-a", 10),  # 23:10 to 23:20
    play("apart", at(-3, minutes=10), "song-b", 10),  # 00:00 to 00:10
    play("again", at(-5, minutes=-10)),
    play("again", at(-5, minutes=10)),
    play("offline", at(-2, 20), late_h=40),
    play("offline", at(-1, 8)),
    play("newcomer", at(0, 10)),
)

WORKED_OUT: dict[str, dict[str, object]] = {
    "edge": {"replay_rate_28d": 1.0, "active_days_28d": 1, "listen_minutes_28d": 1.0, "top_genre_affinity": 0.9},
    "once": {"active_days_28d": 1, "distinct_items_28d": 1, "sessions_7d": 0, "session_minutes_7d": None, "recency_hours": 474.0},
    "across": {"sessions_7d": 1, "session_minutes_7d": 30.0, "active_days_28d": 2, "distinct_items_28d": 2},
    "reaching": {"sessions_7d": 1, "session_minutes_7d": 55.0, "active_days_28d": 2},
    "apart": {"sessions_7d": 2, "session_minutes_7d": 10.0},
    "again": {"replay_rate_28d": 0.5, "distinct_items_28d": 1, "top_genre_affinity": 0.9},
    "offline": {"replay_rate_28d": 0.0, "active_days_28d": 1, "plays_24h": 1, "top_genre_affinity": 0.5},
}
NEXT_WORKED_OUT: dict[str, dict[str, object]] = {
    "once": {"active_days_28d": 1, "recency_hours": 498.0},
    "across": {"sessions_7d": 1, "session_minutes_7d": 30.0},
    "offline": {"replay_rate_28d": 0.5, "active_days_28d": 2, "plays_24h": 0, "plays_7d": 2, "top_genre_affinity": 0.9},
    "newcomer": {"plays_yesterday": 1, "sessions_7d": 1, "session_minutes_7d": 1.0},
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Nights:
    home, version = home_with(tmp_path_factory.mktemp("toy") / "Anna's own home", logs.OLD)
    log = ToyLog(PARTITIONS)
    for midnight in range(at(-29), NEXT + DAY_MS, DAY_MS):
        log.send(*(one for one in TOY if midnight - DAY_MS <= one.received_at_ms < midnight))
        log.control(Watermark(midnight))
    return nights_of(Job(spark, daily(log, home), tiles=home.tiles, tiles_from=0), version, [NIGHT, NEXT])


def daily(log: ToyLog, home: Home) -> Lake:
    """Archive a log in one commit a day, which the watermark ends."""
    lake = Lake(home.lake)
    for partition, records in log.records.items():
        archive = PartitionArchive.resume(lake, partition, PARTITIONS)
        for record in records:
            archive.absorb([record])
            if record.key is None:
                archive.flush()
    return lake


def test_sessions_replays_and_lone_events_across_tiles_are_as_worked_out(toy: Nights) -> None:
    assert wrong(toy.rows[0], WORKED_OUT) == {}
    assert set(toy.rows[0].column("user_id").to_pylist()) == WORKED_OUT.keys()


def test_a_late_event_counts_the_night_after(toy: Nights) -> None:
    assert wrong(toy.rows[1], NEXT_WORKED_OUT) == {}
    assert "edge" not in toy.rows[1].column("user_id").to_pylist()


def test_a_late_event_makes_its_day_and_the_day_after_anew_and_no_other(toy: Nights) -> None:
    assert places(toy.shelves[1] - toy.shelves[0]) == expected({at(-2), at(-1), at(0)}, NEXT)


def test_a_day_without_an_event_has_an_empty_tile(toy: Nights) -> None:
    empty = {date for kind, date, _, _, files in toy.shelves[0] if kind == "listening" and not files}
    full = {iso_date(one.ts_ms) for one in TOY if one.received_at_ms < NIGHT}
    assert empty == {date for kind, date in places(toy.shelves[0]) if kind == "listening"} - full
    assert len(empty) == MONTH_D - 7


def wrong(rows: pa.Table, worked_out: Mapping[str, Mapping[str, object]]) -> dict[tuple[str, str], object]:
    """Return, by listener and feature, what was found and what was worked out, where they differ."""
    by_user = {user: row for (user, _), row in as_dicts([rows]).items()}
    pairs = {(user, name): (by_user[user][name], value) for user, row in worked_out.items() for name, value in row.items()}
    return {place: pair for place, pair in pairs.items() if pair[0] != (pytest.approx(pair[1]) if pair[1] is not None else None)}


@pytest.fixture
def copied(toy: Nights, tmp_path: Path) -> Job:
    """A job with the tiles of the toy nights, which it may spoil."""
    assert toy.job.tiles is not None
    return replace(toy.job, tiles=shutil.copytree(toy.job.tiles, tmp_path / "tiles"))


def test_another_code_version_makes_all_tiles_anew(toy: Nights, copied: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shelf(copied.tiles)
    monkeypatch.setattr(batch.tiles, "code_version", lambda: "another")
    rows = rows_as_of(copied, toy.version, NEXT, copied.lake.cut(NEXT))
    after = shelf(copied.tiles)
    assert differences(toy.rows[1], rows) == SAME
    windows = set(range(NEXT - MONTH_D * DAY_MS, NEXT, DAY_MS))
    assert places(after - before) == expected(windows, NEXT)
    assert {key for _, _, key, *_ in after - before}.isdisjoint(key for _, _, key, *_ in before)


def test_a_night_without_an_event_in_its_windows_has_no_rows_and_tidies_up(toy: Nights, copied: Job) -> None:
    assert copied.tiles is not None
    draft = copied.tiles / "listening" / ".draft-xyz"
    (draft / "day=1772323200000").mkdir(parents=True)
    (draft / "day=1772323200000" / "part-0.parquet").write_bytes(b"PAR1")
    rows = rows_as_of(copied, toy.version, TOO_LATE, copied.lake.cut(NEXT))
    assert rows.num_rows == 0
    assert rows.schema.names == toy.rows[0].schema.names
    assert not draft.exists()
    assert places(shelf(copied.tiles)) == expected(set(range(TOO_LATE - MONTH_D * DAY_MS, TOO_LATE, DAY_MS)), TOO_LATE)


# -- any log

LOGS = 4
DENSE = (41, 42)
"""Nights behind days with many events, some late and doubled, of which some count a night later."""


def test_a_later_night_of_any_log_from_tiles_says_what_it_says_from_events(spark: SparkSession, tmp_path: Path) -> None:
    home, versions = logs.home_of(tmp_path)
    sent = [logs.one_log(f"tiles/{p}", logs.listeners_of(p, LOGS)) for p in range(LOGS)]
    archived = logs.written(sent, activated=[1] * LOGS).archive(home, commits=4)
    job = Job(spark, archived, tiles=home.tiles, tiles_from=0)
    nights = nights_of(job, versions[logs.SECOND], [logs.START_MS + day * DAY_MS for day in DENSE])
    assert days_between(archived, *(archived.cut(night) for night in nights.at)) - {nights.at[0]}, "no late event"
    assert min(map(len, nights.rows)) > LOGS
    assert differences(nights.direct(1), nights.rows[1]) == SAME
