"""Lakes that are read through Hadoop, and the names of Spark masters: what is right, and what is told in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from batch.hadoop import lake_at
from batch.master import address_towards
from contract.errors import CannotJudge, InfrastructureError, UsageError
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.windows import DAY_MS
from tests.saying import Say
from tests.toylake import ToyLog, event

NIGHT = 20_461 * DAY_MS  # 2026-01-08


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in a folder of an odd name, whose lake has six listens in two partitions and has reached a midnight."""
    home = Home(tmp_path / "a b=%20 é")
    log = ToyLog()
    log.send(*(event(user, "song", NIGHT - hours * 3_600_000) for user in ("ann", "ben", "cy") for hours in (3, 30)))
    log.control(Watermark(NIGHT))
    log.archive(home, commits=2)
    return home


@pytest.mark.spark
def test_a_lake_read_through_hadoop_is_the_same_lake(home: Home, spark: SparkSession) -> None:
    here, there = Lake(home.lake), lake_at(spark, f"file://{home.lake}/")
    assert there.partitions() == [0, 1]
    assert sum(len(there.commits(p)) for p in (0, 1)) >= 3
    assert [there.commits(p) for p in range(3)] == [here.commits(p) for p in range(3)]
    assert there.cut(NIGHT) == here.cut(NIGHT)
    assert there.nights() == [NIGHT]
    assert there.uris(to_date="2026-01-06") == here.uris(to_date="2026-01-06")
    assert there.uris() == [f"file://{path}" for path in here.files()]
    assert (here.is_local, there.is_local) == (True, False)


@pytest.mark.spark
def test_spark_reads_the_events_of_a_lake_by_their_uris(home: Home, spark: SparkSession) -> None:
    assert spark.read.parquet(*Lake(home.lake).uris()).count() == 6


@pytest.mark.spark
def test_a_night_that_a_lake_elsewhere_has_not_reached(home: Home, spark: SparkSession) -> None:
    with pytest.raises(CannotJudge, match="has not reached 2026-01-09"):
        lake_at(spark, f"file://{home.lake}").cut(NIGHT + DAY_MS)


@pytest.mark.spark
def test_a_lake_elsewhere_is_read_and_nothing_else(home: Home, spark: SparkSession) -> None:
    lake = lake_at(spark, f"file://{home.lake}")
    lake.settle(2)
    for use in (lake.files, lambda: lake.append(lake.commits(0)[0])):
        with pytest.raises(InfrastructureError, match="only read from here"):
            use()


@pytest.mark.spark
def test_a_broken_commit_is_named_by_its_address(home: Home, spark: SparkSession) -> None:
    path = min((home.lake / "log" / "p00").iterdir())
    path.write_bytes(b"{")
    with pytest.raises(InfrastructureError, match=rf"file://.*/log/p00/{path.name} is broken"):
        lake_at(spark, f"file://{home.lake}").commits(0)


@pytest.mark.spark
def test_a_path_without_a_lake_is_told(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"There is no lake at file://{tmp_path}"):
        lake_at(spark, f"file://{tmp_path}")


@pytest.mark.spark
def test_a_file_system_that_nobody_knows_is_told(spark: SparkSession) -> None:
    with pytest.raises(InfrastructureError, match=r'lake foo://there cannot be read.*No FileSystem for scheme "foo"'):
        lake_at(spark, "foo://there/")


@pytest.mark.spark
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("place", ["lake.json", "log/p00"])
def test_what_may_not_be_read_is_told(home: Home, spark: SparkSession, place: str) -> None:
    (home.lake / place).chmod(0)
    with pytest.raises(InfrastructureError, match=f"{place} cannot be read: Permission denied"):
        Lake(home.lake).cut(NIGHT)
    with pytest.raises(InfrastructureError, match=r"lake file://.* cannot be read: .*ermission"):
        lake_at(spark, f"file://{home.lake}")
    (home.lake / place).chmod(0o700)


@pytest.mark.parametrize(
    "name", ["bogus", "spark:/x", "spark://host", "spark://a:1,b", "spark://a:65536", "local[", "yarn://x", ""]
)
def test_a_name_of_no_master(name: str) -> None:
    with pytest.raises(UsageError, match="names no Spark master"):
        address_towards(name)


@pytest.mark.parametrize("name", ["local", "local[*]", "local[2,4]", "yarn", "k8s://https://host:6443"])
def test_a_master_that_is_not_asked_leaves_loopback(name: str) -> None:
    assert address_towards(name) == "127.0.0.1"


def test_a_master_that_does_not_answer_is_one_line(home: Home, say: Say) -> None:
    refusal = say("night", "--as-of", "2026-01-08", "--home", home.root, "--master", "spark://127.0.0.1:1").refusal
    assert refusal == (
        "No Spark master answers at spark://127.0.0.1:1: Connection refused. Start it, or name another with --master."
    )


def test_a_lake_that_is_not_there_is_told_before_spark_starts(say: Say, tmp_path: Path) -> None:
    refusal = say("night", "--as-of", "2026-01-08", "--lake", tmp_path / "none", "--master", "spark://127.0.0.1:1").refusal
    assert refusal == f"The lake is empty: {tmp_path}/none holds no committed event. Archive some events first."
