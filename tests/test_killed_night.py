"""A night that is killed, runs twice, meets a full disk or a broken file: what is published is always whole.

``SKEWLAB_TEST_KILLS`` says how often a night is killed, 4 unless told; 20 take some minutes.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from batch.listens import Job
from batch.night import run_night
from contract.home import Home
from contract.lake import Lake
from contract.preferences import change_preference
from contract.versions import Version, Versions
from contract.windows import iso_date
from tests.killing import night_process, tell
from tests.whole import builds, content

pytestmark = pytest.mark.spark

KILLS = int(os.environ.get("SKEWLAB_TEST_KILLS", "4"))
WRITING_S = 0.5
"""About how long a night writes: the second half of the kills falls into it."""


@pytest.fixture
def home(lake: tuple[Home, int], tmp_path: Path) -> Home:
    """A copy of it for one test."""
    shutil.copytree(lake[0].root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def undisturbed(lake: tuple[Home, int], spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the night publishes where nothing happens to it."""
    place = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(lake[0].root, place, symlinks=True)
    return content(night(spark, Home(place), lake[1]))


@pytest.fixture(scope="module", autouse=True)
def _forgotten(spark: SparkSession) -> Iterator[None]:
    """Nights that were killed leave frames in the memory of Spark that they shared."""
    yield
    spark.catalog.clearCache()


def night(spark: SparkSession, home: Home, as_of_ms: int) -> Version:
    return run_night(Job(spark, Lake(home.lake)), home, as_of_ms)


def test_a_night_killed_anywhere_leaves_only_whole_versions(
    home: Home, lake: tuple[Home, int], spark: SparkSession, undisturbed: dict[str, object]
) -> None:
    as_of, chance, versions = lake[1], random.Random(11), Versions(home.versions)
    seconds = _seconds_of_a_night(spark, home, as_of)
    first = content(versions.get(iso_date(as_of)))
    assert first == undisturbed
    killed = 0
    for i in range(KILLS):
        if i % 2:
            change_preference(home.preferences, "listener-1", explore=chance.random() < 0.5)  # so that versions do differ
        process = night_process(spark, home, as_of)
        tell(process)
        _wait(process, versions, chance.uniform(0, seconds), chance.uniform(0, WRITING_S), writing=i % 2 == 1)
        killed += _kill(process)
        for name in versions.names():
            content(versions.get(name))
        assert versions.current in versions.names()
        assert len(builds(versions)) <= len(versions.names()) + 2
    change_preference(home.preferences, "listener-1", explore=False)
    assert content(night(spark, home, as_of)) == undisturbed
    assert len(builds(versions)) == len(versions.names()), "what the killed ones left is gone"
    assert killed >= KILLS // 2, "most of them were killed before they were done"


def _seconds_of_a_night(spark: SparkSession, home: Home, as_of_ms: int) -> float:
    process = night_process(spark, home, as_of_ms)
    begin = time.monotonic()
    tell(process)
    assert process.wait(120) == 0
    _close(process)
    return time.monotonic() - begin


def _wait(process: subprocess.Popen[bytes], versions: Versions, anywhere: float, in_it: float, *, writing: bool) -> None:
    """Wait for the moment of a kill: anywhere in the night, or some time after it began to write."""
    if not writing:
        time.sleep(anywhere)
        return
    there = set(builds(versions))
    while process.poll() is None and set(builds(versions)) <= there:
        time.sleep(0.002)
    time.sleep(in_it)


def _kill(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process; tell whether it was not done yet."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    done = process.stdout.read() == b"done\n"
    _close(process)
    return not done


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()
