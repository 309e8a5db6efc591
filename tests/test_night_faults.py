"""What a night meets: broken files, a full disk. One line that names it, and nothing is published."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.faults import require_whole
from batch.listens import Job
from batch.night import run_night
from contract.errors import InfrastructureError
from contract.home import Home
from contract.lake import Lake
from contract.versions import Version, Versions
from contract.windows import iso_date
from tests.saying import Say
from tests.test_building import full_disk
from tests.whole import BASE, content, unchanged

Breaks = Callable[[Path], object]


@pytest.fixture
def home(lake: tuple[Home, int], tmp_path: Path) -> Home:
    """A copy of it for one test, whose base version is in service."""
    shutil.copytree(lake[0].root, tmp_path / "home", symlinks=True)
    Versions(Home(tmp_path / "home").versions).point_to(BASE)
    return Home(tmp_path / "home")


def a_file(home: Home) -> Path:
    files = Lake(home.lake).files()
    return files[len(files) // 2]


def night(spark: SparkSession, home: Home, as_of_ms: int) -> Version:
    return run_night(Job(spark, Lake(home.lake)), home, as_of_ms)


def _zeros_inside(path: Path) -> None:
    """The footer stays good, the pages do not."""
    data = bytearray(path.read_bytes())
    data[50:400] = bytes(350)
    path.write_bytes(data)


def _without_a_column(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["ms_played"]), path)


def _without_a_row(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)


BROKEN: dict[str, tuple[Breaks, str]] = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "Parquet"),
    "empty": (lambda path: path.write_bytes(b""), "Parquet"),
    "text": (lambda path: path.write_bytes(b"no Parquet at all" * 9), "Parquet"),
    "gone": (Path.unlink, "No such file"),
    "of other columns": (lambda path: pq.write_table(pa.table({"song": ["a"]}), path), "no column 'kafka_partition'"),
    "without a column": (_without_a_column, "no column 'ms_played'"),
    "without a row": (_without_a_row, "were committed"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_is_not_what_was_committed_is_named_before_spark_begins(home: Home, how: str) -> None:
    breaks, why = BROKEN[how]
    path = a_file(home)
    breaks(path)
    with pytest.raises(InfrastructureError) as told:
        require_whole(Lake(home.lake), from_date="", to_date="9999-12-31")
    said = str(told.value)
    assert said.startswith(f"The lake's file {path} cannot be read: ")
    assert why in said
    assert len(said.splitlines()) == 1


def test_a_whole_lake_is_whole(home: Home) -> None:
    require_whole(Lake(home.lake), from_date="", to_date="9999-12-31")


def test_files_of_other_days_are_not_looked_at(home: Home) -> None:
    path = a_file(home)
    path.unlink()
    date = path.parent.name.removeprefix("event_date=")
    require_whole(Lake(home.lake), from_date="", to_date="2025-01-01")
    with pytest.raises(InfrastructureError):
        require_whole(Lake(home.lake), from_date=date, to_date=date)


@pytest.mark.spark
@pytest.mark.parametrize("breaks", [_zeros_inside, lambda path: path.write_bytes(b"")], ids=["pages", "empty"])
def test_a_night_over_a_broken_file_names_it_and_publishes_nothing(
    home: Home, lake: tuple[Home, int], spark: SparkSession, breaks: Breaks
) -> None:
    path = a_file(home)
    breaks(path)
    with unchanged(Versions(home.versions)), pytest.raises(InfrastructureError) as told:
        night(spark, home, lake[1])
    assert f"The lake's file {path} cannot be read" in str(told.value)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.spark
def test_the_command_tells_a_broken_file_in_one_line(say: Say, home: Home, lake: tuple[Home, int], spark: SparkSession) -> None:
    path = a_file(home)
    _zeros_inside(path)
    with unchanged(Versions(home.versions)):
        assert str(path) in say("night", "--as-of", iso_date(lake[1]), "--home", home.root).refusal


@pytest.mark.spark
def test_a_night_whose_scratch_is_full_publishes_nothing(home: Home, lake: tuple[Home, int], spark: SparkSession) -> None:
    fails = pytest.raises(InfrastructureError, match=r"could not set aside what it works on.*Free the disk")
    with unchanged(Versions(home.versions)), fails as told, full_disk(1_000):
        night(spark, home, lake[1])
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.spark
def test_a_night_that_finds_no_room_to_publish_leaves_the_old_version_in_service(
    home: Home, lake: tuple[Home, int], spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as limits, monkeypatch.context() as patched, unchanged(Versions(home.versions)):
        draft = Versions.draft
        patched.setattr(Versions, "draft", lambda *a: (draft(*a), limits.enter_context(full_disk(4_000)))[0])
        with pytest.raises(InfrastructureError, match=f"Version '{BASE}' stays in use: free the disk") as told:
            night(spark, home, lake[1])
        limits.close()
    assert len(str(told.value).splitlines()) == 1
    assert len(content(night(spark, home, lake[1]))) > 4, "with room again, the same night is published"
