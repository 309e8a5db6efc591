"""The lake's log, and files that are placed whole or not at all."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.errors import CannotJudge, InfrastructureError
from contract.home import Home, placed_whole, snapshot_path, write_whole
from contract.lake import Commit, Lake, LakeFile, event_path
from contract.windows import DAY_MS

NIGHT = 20_461 * DAY_MS  # 2026-01-08


def commit(partition: int, first: int, end: int, **fields: object) -> Commit:
    plain: dict[str, object] = {"received_ms": 5, "watermark_ms": None, "watermarks": {}, "activations": [], "files": []}
    return Commit(partition, first, end, **{**plain, **fields})


def lake_of(folder: Path, *commits: Commit) -> Lake:
    lake = Lake(folder)
    lake.settle(max(one.partition for one in commits) + 1)
    for one in commits:
        lake.append(one)
    return lake


def one_log(lake: Lake) -> list[Path]:
    return sorted((lake.folder / "log" / "p00").iterdir())


# -- the log


def test_commits_come_back_as_they_were_written(tmp_path: Path) -> None:
    full = commit(
        0, 3, 9, watermarks={NIGHT: 4}, activations=[(5, "2026-01-08")], files=[LakeFile("a", "2026-01-07", 2)], rejected=1,
        rejected_file="r",
    )  # fmt: skip
    assert Lake(tmp_path).commits(0) == []
    assert lake_of(tmp_path, commit(0, 0, 3), full).commits(0) == [commit(0, 0, 3), full]


def test_commits_are_in_offset_order_in_whatever_order_they_were_written(tmp_path: Path) -> None:
    parts = [commit(0, 9, 100), commit(0, -20, -3), commit(0, 100, 101), commit(0, 0, 9), commit(0, -3, 0)]
    assert [one.first for one in lake_of(tmp_path, *parts).commits(0)] == [-20, -3, 0, 9, 100]


def test_the_same_commit_again_is_one_commit(tmp_path: Path) -> None:
    assert len(lake_of(tmp_path, commit(0, 0, 3), commit(0, 0, 3)).commits(0)) == 1


def test_the_end_is_behind_the_last_record_and_0_in_an_empty_lake(tmp_path: Path) -> None:
    assert Lake(tmp_path).end(0) == 0
    assert lake_of(tmp_path, commit(0, 0, 3), commit(0, 3, 9), commit(1, 0, 4)).end(0) == 9


@pytest.mark.parametrize("first", [4, 2], ids=["gap", "overlap"])
def test_commits_that_do_not_join_are_a_hole(tmp_path: Path, first: int) -> None:
    lake = lake_of(tmp_path, commit(0, 0, 3), commit(0, first, 9))
    with pytest.raises(InfrastructureError, match=f"hole between offsets 3 and {first}"):
        lake.commits(0)


@pytest.mark.parametrize("content", [b"", b'{"partition":0', b"[]", b'{"partition":"0"}'])
def test_a_commit_that_cannot_be_read_is_a_broken_log(tmp_path: Path, content: bytes) -> None:
    lake = lake_of(tmp_path, commit(0, 0, 3))
    one_log(lake)[0].write_bytes(content)
    with pytest.raises(InfrastructureError, match="is broken"):
        lake.commits(0)


def test_the_cut_of_a_night_is_the_offset_of_its_watermark_in_each_partition(tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path,
        commit(0, 0, 9, watermarks={NIGHT: 4, NIGHT + DAY_MS: 8}),
        commit(1, 0, 5),
        commit(1, 5, 8, watermarks={NIGHT: 7}),
    )
    assert lake.cut(NIGHT) == {0: 4, 1: 7}


def test_a_night_that_one_partition_has_not_reached_has_no_cut(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, commit(0, 0, 9, watermarks={NIGHT: 4}), commit(1, 0, 5), commit(2, 0, 5))
    with pytest.raises(CannotJudge, match=r"not reached 2026-01-08T00:00:00Z.*missing in partition 1, 2"):
        lake.cut(NIGHT)


def test_an_empty_lake_has_no_cut_and_no_nights(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="empty"):
        Lake(tmp_path).cut(NIGHT)
    assert Lake(tmp_path).nights() == []


def test_nights_are_the_watermarks_of_all_partitions_in_order(tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path,
        commit(0, 0, 3, watermarks={NIGHT: 2}),
        commit(0, 3, 9, watermarks={NIGHT + DAY_MS: 4, NIGHT + 2 * DAY_MS: 5}),
        commit(1, 0, 9, watermarks={NIGHT + DAY_MS: 3, NIGHT: 1}),
    )
    assert lake.nights() == [NIGHT, NIGHT + DAY_MS]


def test_the_active_version_is_that_of_the_last_activation_below_the_cut(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, commit(0, 0, 9, activations=[(2, "a"), (5, "b")]), commit(0, 9, 20, activations=[(12, "c")]))
    assert [lake.active_version(0, cut) for cut in (2, 3, 5, 6, 12, 13)] == [None, "a", "a", "b", "b", "c"]


def test_no_version_is_active_in_a_partition_without_activations(tmp_path: Path) -> None:
    assert lake_of(tmp_path, commit(0, 0, 9, activations=[(2, "a")]), commit(1, 0, 9)).active_version(1, 9) is None


def test_a_data_file_that_no_commit_names_is_invisible(tmp_path: Path) -> None:
    named, stray = "events/event_date=2026-01-07/p00-0-3.parquet", "events/event_date=2026-01-07/p00-3-9.parquet"
    for path in (named, stray):
        write_whole(tmp_path / path, b"rows")
    lake = lake_of(tmp_path, commit(0, 0, 3, files=[LakeFile(named, "2026-01-07", 2)]))
    assert lake.files() == [tmp_path / named]


def test_files_are_chosen_by_the_dates_of_their_events_both_ends_included(tmp_path: Path) -> None:
    files = [LakeFile(f"f{day}", f"2026-01-0{day}", 1) for day in (5, 6, 7, 8)]
    lake = lake_of(tmp_path, commit(0, 0, 3, files=files[:2]), commit(1, 0, 3, files=files[2:]))
    assert [path.name for path in lake.files(from_date="2026-01-06", to_date="2026-01-07")] == ["f6", "f7"]
    assert len(lake.files()) == 4


def test_a_snapshot_is_named_by_night_partition_and_cut(tmp_path: Path) -> None:
    path = snapshot_path(Home(tmp_path), NIGHT, 3, 42)
    assert path.parent == tmp_path / "snapshots" / "2026-01-08"
    assert path.name == "p03-00000000000000000042.parquet"


# -- files placed whole


@contextmanager
def disk_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that stands where a new one should go."""
    write_whole(tmp_path / "place" / "file", b"old")
    return tmp_path / "place" / "file"


def assert_untouched(old: Path) -> None:
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


def test_a_file_is_replaced_at_the_end_and_not_before(old: Path) -> None:
    with placed_whole(old) as temporary:
        temporary.write_bytes(b"new")
        assert old.read_bytes() == b"old"
    assert old.read_bytes() == b"new"
    assert list(old.parent.iterdir()) == [old]


def test_the_old_file_stays_where_the_writer_fails_half_way(old: Path) -> None:
    with pytest.raises(ZeroDivisionError), placed_whole(old) as temporary:  # noqa: PT012
        temporary.write_bytes(b"ne")
        raise ZeroDivisionError
    assert_untouched(old)


def test_the_old_file_stays_where_the_writer_writes_nothing(old: Path) -> None:
    with pytest.raises(InfrastructureError, match="could not be written"), placed_whole(old):
        pass
    assert_untouched(old)


def test_the_old_file_stays_where_the_disk_is_full(old: Path) -> None:
    with disk_for(10), pytest.raises(InfrastructureError, match="could not be written"):
        write_whole(old, b"more than ten bytes")
    assert_untouched(old)


def test_a_folder_is_no_target_and_keeps_what_it_holds(old: Path) -> None:
    with pytest.raises(InfrastructureError, match="could not be written"):
        write_whole(old.parent, b"new")
    assert_untouched(old)
    assert list(old.parent.parent.iterdir()) == [old.parent]


def test_a_log_that_begins_behind_0_has_lost_its_first_commit(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="hole between offsets 0 and 5"):
        lake_of(tmp_path, commit(0, 5, 9)).commits(0)


def test_a_partition_that_was_not_archived_yet_holds_the_night_back(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.settle(2)
    lake.append(commit(0, 0, 9, watermarks={NIGHT: 4}))
    with pytest.raises(CannotJudge, match="missing in partition 1"):
        lake.cut(NIGHT)
    assert lake.nights() == []


def test_the_number_of_partitions_is_fixed_for_life(tmp_path: Path) -> None:
    Lake(tmp_path).settle(2)
    Lake(tmp_path).settle(2)
    with pytest.raises(InfrastructureError, match="has 2 partitions, not 3"):
        Lake(tmp_path).settle(3)


def test_bytes_that_are_no_text_are_told_as_a_broken_log(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, commit(0, 0, 3))
    one_log(lake)[0].write_bytes(b'{"partition":"\xff"}')
    with pytest.raises(InfrastructureError, match="is broken"):
        lake.commits(0)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InfrastructureError, match="could not be written"):
        write_whole(tmp_path / "file" / "below", b"1")


# -- commits that are replaced, and what is swept


def event_file(lake: Lake, first: int, end: int, rows: int = 1, partition: int = 0) -> LakeFile:
    """Place a file as writers name it."""
    path = event_path("2026-01-07", partition, first, end)
    write_whole(lake.folder / path, b"rows")
    return LakeFile(path, "2026-01-07", rows)


@pytest.fixture
def compacted(tmp_path: Path) -> Lake:
    """A lake of three commits, two of which share a file since they were replaced."""
    lake = lake_of(tmp_path, *(commit(0, first, first + 3) for first in (0, 3, 6)))
    shared, last = event_file(lake, 0, 6), event_file(lake, 6, 9)
    lake.replace(0, [commit(0, 0, 3, files=[shared]), commit(0, 3, 6, files=[shared]), commit(0, 6, 9, files=[last])])
    return lake


def test_commits_that_were_replaced_are_read_no_more_and_others_go_on_behind_them(compacted: Lake) -> None:
    compacted.append(commit(0, 9, 12))
    one_log(compacted)[0].write_bytes(b"broken, and never looked at")
    assert [(c.first, len(c.files)) for c in compacted.commits(0)] == [(0, 1), (3, 1), (6, 1), (9, 0)]
    assert compacted.end(0) == 12


def test_a_file_that_commits_share_is_one_file_with_the_rows_of_all(compacted: Lake) -> None:
    assert [(Path(file.path).name, file.rows) for file in compacted.event_files()] == [
        ("p00-0-6.parquet", 2),
        ("p00-6-9.parquet", 1),
    ]
    assert len(compacted.files()) == len(compacted.uris()) == 2
    assert compacted.event_files(to_date="2026-01-06") == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'[{"partition":0}]'])
def test_replaced_commits_that_cannot_be_read_are_a_broken_log(compacted: Lake, content: bytes) -> None:
    one_log(compacted)[-1].write_bytes(content)
    with pytest.raises(InfrastructureError, match=r"compacted-00000001\.json is broken"):
        compacted.commits(0)


def test_the_newest_replacement_counts(compacted: Lake) -> None:
    files = [LakeFile("newer", "2026-01-07", 3)]
    compacted.replace(0, [commit(0, 0, 9, files=files)])
    assert [path.name for path in one_log(compacted)][-2:] == ["compacted-00000001.json", "compacted-00000002.json"]
    assert compacted.event_files() == files


def test_an_archiver_sweeps_what_a_killed_one_left_and_nothing_else(compacted: Lake) -> None:
    left, replaced, foreign = (compacted.folder / "events" / "event_date=2026-01-07" / name for name in (
        "p00-9-15.parquet", "p00-0-3.parquet", "notes.parquet",
    ))  # fmt: skip
    half, rejected = compacted.folder / "log" / "p00" / ".x.json.1.tmp", compacted.folder / "rejected" / "p00-9-15.parquet"
    for path in (left, replaced, foreign, half, rejected):
        write_whole(path, b"")
    compacted.sweep(replaced=False)
    assert [path.exists() for path in (left, half, rejected, replaced, foreign)] == [False, False, False, True, True]
    compacted.sweep(replaced=True)
    assert [path.exists() for path in (replaced, foreign)] == [False, True]
    assert [path.name for path in one_log(compacted)] == ["compacted-00000001.json"]
    assert all(path.exists() for path in compacted.files())
    assert compacted.end(0) == 9


def test_files_of_a_partition_without_a_commit_are_what_a_killed_archiver_left(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, commit(1, 0, 3))
    files = [event_file(lake, first, 9, partition=p) for first, p in ((0, 0), (-5, 0), (0, 7))]
    lake.sweep(replaced=False)
    assert [(tmp_path / file.path).exists() for file in files] == [False, False, True]


def test_a_lake_has_one_writer(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with lake.writing(), pytest.raises(InfrastructureError, match="another archiver or a compaction"), lake.writing():
        pass
    with lake.writing():
        pass
