"""Compaction: many files become few, and whoever asks the lake is told the same as before: rows, cuts, nights, features.

``SKEWLAB_TEST_KILLS`` says how often a compaction is killed, 12 unless told.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.faults import require_whole
from batch.hadoop import lake_at
from batch.listens import REQUEST, Job
from batch.rows import rows_as_of, rows_for_spine
from batch.tiles import TileStore
from contract.errors import CannotJudge, InfrastructureError
from contract.event import LAKE_SCHEMA
from contract.features import ROW_SCHEMA
from contract.home import Home
from contract.lake import LAST_DATE, Commit, Lake, LakeFile
from contract.versions import Versions
from contract.windows import DAY_MS, iso_date
from lab.compact import compact
from monitoring.compare import align, mismatches
from streaming.archive import PartitionArchive
from streaming.rebuild import rebuild
from tests.dying import Run, runner
from tests.logs import NIGHTS, SECOND, START_MS, home_of, listeners_of, one_log, written
from tests.saying import Say
from tests.toylake import ToyLog, encoded

PARTITIONS = 2
RUNS = 40
KILLS = int(os.environ.get("SKEWLAB_TEST_KILLS", "12"))


def logged() -> ToyLog:
    logs = [one_log(f"compact/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)]
    return written(logs, activated=[20, 30])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose log was archived in many runs."""
    home = home_of(tmp_path / "home")[0]
    logged().archive(home, commits=RUNS)
    return home


@pytest.fixture
def lake(home: Home) -> Lake:
    return Lake(home.lake)


def rows(lake: Lake) -> list[dict[str, object]]:
    """Read all events of a lake, in order; each file has to hold what was committed."""
    tables = [LAKE_SCHEMA.empty_table()]
    for file in lake.event_files():
        tables.append(pq.read_table(lake.folder / file.path, partitioning=None))
        assert len(tables[-1]) == file.rows
        assert tables[-1].schema == LAKE_SCHEMA
    place = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    return pa.concat_tables(tables).sort_by(place).to_pylist()


def log_of(lake: Lake) -> list[list[Commit]]:
    return [lake.commits(partition) for partition in lake.partitions()]


def without_paths(log: list[list[Commit]]) -> list[list[Commit]]:
    return [
        [msgspec.structs.replace(c, files=[LakeFile("", f.date, f.rows) for f in c.files]) for c in commits] for commits in log
    ]


def paths(lake: Lake) -> set[str]:
    return {file.path for file in lake.event_files()}


def on_disk(lake: Lake) -> set[str]:
    return {path.relative_to(lake.folder).as_posix() for path in (lake.folder / "events").rglob("*") if path.is_file()}


def test_each_date_that_is_over_becomes_one_file_a_partition(lake: Lake) -> None:
    before, many = rows(lake), len(paths(lake))
    done = compact(lake)
    files = Counter((file.date, Path(file.path).name[:3]) for file in lake.event_files())
    assert (done.before, done.after) == (many, len(paths(lake)))
    assert set(files.values()) == {1}
    assert many > 1.3 * len(files) > 30
    assert rows(lake) == before
    for file in lake.event_files():
        offsets = pq.read_table(lake.folder / file.path, columns=["kafka_offset"], partitioning=None)["kafka_offset"].to_pylist()
        assert offsets == sorted(offsets)


def test_commits_say_the_same_but_for_the_paths(lake: Lake) -> None:
    before, nights = log_of(lake), {at: lake.cut(at) for at in lake.nights()}
    compact(lake)
    assert log_of(lake) != before
    assert without_paths(log_of(lake)) == without_paths(before)
    assert {at: lake.cut(at) for at in lake.nights()} == nights
    assert len(nights) > 40
    names = sorted(path.name for path in (lake.folder / "log" / "p00").iterdir())
    assert names[-1] == "compacted-00000001.json"


def test_the_files_that_count_below_a_cut_are_named_with_the_same_commits(lake: Lake) -> None:
    """What a night's tiles are known by tells two cuts apart exactly where it did before."""

    def told(cut: int) -> list[tuple[int, str, int]]:
        return sorted((c.first, f.date, f.rows) for c in lake.commits(0) if c.first < cut for f in c.files)

    cuts = range(0, lake.end(0) + 1, 3)
    before = [told(cut) for cut in cuts]
    compact(lake)
    assert [told(cut) for cut in cuts] == before


def test_a_second_compaction_rewrites_nothing(lake: Lake) -> None:
    compact(lake)
    inodes = {path: (lake.folder / path).stat().st_ino for path in paths(lake)}
    log = log_of(lake)
    done = compact(lake)
    assert done.before == done.after
    assert {path: (lake.folder / path).stat().st_ino for path in paths(lake)} == inodes
    assert log_of(lake) == log


def test_who_read_the_log_before_finds_its_files_until_the_next_compaction(home: Home, lake: Lake) -> None:
    before, known, log = rows(lake), lake.event_files(), sorted((home.lake / "log").rglob("*.json"))
    compact(lake)
    assert sum(pq.read_metadata(home.lake / file.path).num_rows for file in known) == len(before)
    assert all(path.exists() for path in log)
    compact(lake)
    assert on_disk(lake) == paths(lake)
    assert [path.name for path in sorted((home.lake / "log").rglob("*.json"))] == ["compacted-00000001.json"] * PARTITIONS
    assert rows(lake) == before


def test_the_archiver_goes_on_behind_a_compaction_and_removes_nothing_of_it(tmp_path: Path) -> None:
    home, whole = home_of(tmp_path / "home")[0], home_of(tmp_path / "whole")[0]
    lake, log = Lake(home.lake), logged()
    log.archive(whole)
    for upto in (0.3, 0.6, 1.0):
        _archived(log, lake, upto)
        known = paths(lake)
        compact(lake)
        lake.sweep(replaced=False)
        assert known <= on_disk(lake), "readers may still know them"
    assert rows(lake) == rows(Lake(whole.lake))
    assert lake.nights() == Lake(whole.lake).nights()
    assert [lake.cut(at) for at in lake.nights()] == [Lake(whole.lake).cut(at) for at in lake.nights()]


def _archived(log: ToyLog, lake: Lake, share: float) -> None:
    for partition, records in log.records.items():
        archive = PartitionArchive.resume(lake, partition, PARTITIONS)
        upto = int(share * len(records))
        for start in range(archive.next, upto, 5):
            archive.absorb(records[start : min(start + 5, upto)])
            archive.flush()


def test_dates_that_late_events_may_still_reach_are_left(tmp_path: Path) -> None:
    home, log = home_of(tmp_path)[0], logged()
    lake = Lake(home.lake)
    _archived(log, lake, 0.5)
    for partition in range(PARTITIONS):
        last = lake.commits(partition)[-1]
        reached = max(last.received_ms or 0, last.watermark_ms or 0)
        opened = iso_date(reached - 2 * DAY_MS)
        before = {f.path for c in lake.commits(partition) for f in c.files if f.date >= opened}
        compact(lake)
        assert {f.path for c in lake.commits(partition) for f in c.files if f.date >= opened} == before


def test_before_a_date_means_before_it(home: Home, lake: Lake) -> None:
    many = paths(lake)
    middle = iso_date(START_MS + NIGHTS // 2 * DAY_MS)
    compact(lake, middle)
    moved = {path.split("=")[1][:10] for path in many - paths(lake)}
    assert moved
    assert max(moved) < middle
    compact(lake)
    assert {path.split("=")[1][:10] for path in many - paths(lake)} > moved


# -- what dies, what is refused


def test_killed_at_any_touch_of_a_file_the_lake_is_whole_and_the_next_compaction_ends_the_work(
    home: Home, lake: Lake, tmp_path: Path
) -> None:
    chance, before, known = random.Random(3), rows(lake), lake.event_files()
    with runner() as runs:
        whole, died = _copied(home, tmp_path / "whole"), tmp_path / "died"
        touches = runs.run(Run("compact", str(whole.root))).touches
        assert touches > 200
        for at in sorted(chance.sample(range(1, touches), KILLS)):
            copy = _copied(home, died)
            assert runs.run(Run("compact", str(copy.root), at=at)).killed
            assert rows(Lake(copy.lake)) == before
            assert all((copy.lake / file.path).exists() for file in known), "for who read the log before"
            runs.run(Run("compact", str(copy.root), at=chance.randrange(1, touches)))
            assert rows(Lake(copy.lake)) == before
            assert not runs.run(Run("compact", str(copy.root))).killed
            assert rows(Lake(copy.lake)) == before
            assert log_of(Lake(copy.lake)) == log_of(Lake(whole.lake))
            compact(Lake(copy.lake))
            assert on_disk(Lake(copy.lake)) == paths(Lake(whole.lake))
            shutil.rmtree(died)


def _copied(home: Home, place: Path) -> Home:
    shutil.copytree(home.root, place, symlinks=True)
    return Home(place)


def test_at_each_move_and_removal_a_reader_finds_all_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, looks = sum(file.rows for file in lake.event_files()), Counter[str]()

    def looking(name: str, act: Callable[..., object]) -> Callable[..., object]:
        def acted(path: Path, *arguments: object, **more: object) -> object:
            done = act(path, *arguments, **more)
            files = lake.event_files()
            assert sum(file.rows for file in files) == wanted
            assert all((lake.folder / file.path).exists() for file in files)
            looks[name] += 1
            return done

        return acted

    monkeypatch.setattr(Path, "replace", looking("replace", Path.replace))
    monkeypatch.setattr(Path, "unlink", looking("unlink", Path.unlink))
    compact(lake)
    compact(lake)
    assert min(looks["replace"], looks["unlink"]) > 20


@pytest.mark.parametrize("damage", ["missing", "empty", "cut short", "other rows", "other columns"])
def test_a_file_that_is_not_what_was_committed_is_named_and_nothing_is_replaced(lake: Lake, damage: str) -> None:
    log = log_of(lake)
    path = next(lake.folder / f.path for c in lake.commits(0) for f in c.files if _several(lake, f.date))
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other rows":
        pq.write_table(LAKE_SCHEMA.empty_table(), path)
    elif damage == "other columns":
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["rec_id"]), path)
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut short" else b"")
    with pytest.raises(InfrastructureError, match=f"The lake's file {path} ") as caught:
        compact(lake)
    assert "\n" not in str(caught.value)
    assert log_of(lake)[0] == log[0]
    path.write_bytes(content)
    compact(lake)
    assert len(paths(lake)) < len({f.path for commits in log for c in commits for f in c.files})


def _several(lake: Lake, date: str) -> bool:
    return sum(file.date == date for commit in lake.commits(0) for file in commit.files) > 1


def test_an_empty_lake_cannot_be_compacted(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="The lake is empty"):
        compact(Lake(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_a_lake_with_partitions_and_no_records_is_left(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.settle(2)
    assert compact(lake).lines() == ["0 files of events became 0. No date is over yet"]


def test_the_command_tells_what_it_did(say: Say, home: Home, lake: Lake) -> None:
    with lake.writing():
        assert "another archiver or a compaction is at work" in say("compact", "--home", home.root).refusal
    assert "is no date" in say("compact", "--home", home.root, "--before", "soon").refusal
    said = say("compact", "--home", home.root, "--before", iso_date(START_MS), "--json").document
    assert said["files_before"] == said["files"] > 60
    said = say("compact", "--home", home.root)
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("are over\n")


# -- what is asked of the lake


def test_a_rebuild_is_the_same_from_few_files_as_from_many(home: Home, lake: Lake) -> None:
    log = logged()
    upto = [(p, cut) for p in range(PARTITIONS) for cut in (lake.end(p) // 2, lake.end(p))]

    def states() -> list[dict[str, tuple[object, ...]]]:
        paths = [log.path(home, p) for p, _ in upto]
        for path, (_, cut) in zip(paths, upto, strict=True):
            rebuild(path, lake, cut)
        return [encoded(path.states) for path in paths]

    before = states()
    compact(lake)
    assert states() == before
    assert all(before)


def test_a_night_finds_compacted_files_whole(lake: Lake) -> None:
    compact(lake)
    require_whole(lake, from_date="", to_date=LAST_DATE)


@pytest.mark.spark
def test_a_night_and_a_spine_say_the_same_before_and_after_and_tiles_are_made_anew_once(
    home: Home, lake: Lake, spark: SparkSession
) -> None:
    job = Job(spark, lake, tiles=home.tiles, tiles_from=0)
    version, night = Versions(home.versions).get(SECOND), START_MS + 30 * DAY_MS
    cuts, spine = lake.cut(night), _spine(lake, night)
    before, asked, tiles = rows_as_of(job, version, night, cuts), rows_for_spine(job, version, spine), _tiles(home)
    compact(lake)
    after, again, anew = rows_as_of(job, version, night, cuts), rows_for_spine(job, version, spine), _tiles(home)
    for found, wanted in ((after, before), (again, asked)):
        pair = align(found, wanted, REQUEST)
        assert len(wanted) > 3
        assert (mismatches(pair), pair.missing.to_pylist(), pair.extra.to_pylist()) == ({}, [], [])
    assert log_of(lake_at(spark, f"file://{lake.folder}")) == log_of(lake)
    assert anew - tiles, "days whose files have other names are made anew"
    keys = TileStore(job, night, cuts)._keys()
    compact(lake)
    assert TileStore(job, night, cuts)._keys() == keys, "and not again"


def _spine(lake: Lake, night: int) -> pa.Table:
    """Ask for every listener at a night, at its cut and half way to it."""
    asked = [
        {"user_id": user, "as_of_ms": night, "cut": cut}
        for p in range(PARTITIONS)
        for user in listeners_of(p, PARTITIONS)
        for cut in (lake.cut(night)[p], lake.cut(night)[p] // 2)
    ]
    return pa.Table.from_pylist(asked, pa.schema([ROW_SCHEMA.field(name) for name in REQUEST]))


def _tiles(home: Home) -> set[tuple[str, int]]:
    """Return the tiles as the disk knows them: one written anew is another one."""
    return {(str(path), path.stat().st_ino) for path in home.tiles.glob("*/*/*")}
