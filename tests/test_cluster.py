"""A night on a Spark standalone cluster is the night on this machine: as a wheel, from any Hadoop path, with a worker lost.

The executors find no Python, and live in another time zone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from venv import EnvBuilder

import numpy
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.listens import Job
from batch.master import address_towards
from batch.night import run_night
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.versions import Version, Versions
from contract.windows import iso_date
from lab.pipeline import Pipeline
from lab.source import WorldSource
from lab.world import World
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore
from tests.cluster import SPARK_HOME, Cluster, cluster, program, wait_for

pytestmark = [pytest.mark.spark, pytest.mark.cluster]

ROOT = Path(__file__).parent.parent
PARTITIONS = 2
MID_NIGHT = 12
"""So many tasks of about 75 has a worker done when it is killed: then it holds listens and shuffle files that others need."""
NIGHT_S = 300

# what a cluster's own people write into spark-defaults.conf; the compiler's first level is enough for a night of seconds
DEFAULTS = """
spark.ui.enabled false
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.executor.memory 600m
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.hadoop.fs.viewfs.mounttable.lab.link./data file://{folder}
"""


@dataclass(frozen=True)
class Place:
    """A home that has archived up to a midnight, and what the night of that midnight should publish."""

    home: Home
    midnight: int
    expected: dict[str, Any]

    @property
    def as_of(self) -> str:
        return iso_date(self.midnight)

    def another_home(self, folder: Path) -> Home:
        """A home without a lake, in which no night has run."""
        shutil.copytree(self.home.versions, folder / "home" / "versions", symlinks=True)
        return Home(folder / "home")

    def published_in(self, home: Home) -> dict[str, Any]:
        return content(Versions(home.versions).get(self.as_of))


@pytest.fixture(scope="module")
def place(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Place:
    world = World(seed=3, users=40, history_days=28)
    home = Home(tmp_path_factory.mktemp("cluster-home"))
    midnight = world.midnight(0)
    Versions(home.versions).publish_initial(world.catalogue)
    store = MemoryStore()
    pipeline = Pipeline(home, MemoryLog(PARTITIONS), store, Member(home, store, PARTITIONS, 100), PARTITIONS)
    pipeline.archive_history(WorldSource(world, 1).history(), midnight)
    pipeline.open()
    pipeline.control(Watermark(midnight))
    pipeline.archive()
    reference = Home(tmp_path_factory.mktemp("here"))
    shutil.copytree(home.versions, reference.versions, symlinks=True)
    return Place(home, midnight, content(run_night(Job(spark, Lake(home.lake)), reference, midnight)))


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=2) as found:
        yield found


@pytest.fixture(scope="module")
def configured(place: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which Spark finds its defaults."""
    folder = tmp_path_factory.mktemp("conf")
    (folder / "spark-defaults.conf").write_text(DEFAULTS.format(folder=place.home.root))
    return {"SPARK_CONF_DIR": str(folder), "TZ": "Asia/Kolkata"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(["make", "wheel", f"WHEELS={folder}"], cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("skewlab-*.whl"))


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with every library that Skewlab uses, and without Skewlab."""
    folder = tmp_path_factory.mktemp("bare")
    EnvBuilder(symlinks=True).create(folder)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "libraries.pth").write_text(str(Path(numpy.__file__).parents[1]))
    return folder / "bin" / "python"


READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": lambda path: pq.read_table(path).to_pylist(maps_as_pydicts="strict"),
    ".json": lambda path: json.loads(path.read_text()),
    ".md": lambda path: [line for line in path.read_text().splitlines() if "SHA-256" not in line],
}


def content(version: Version) -> dict[str, Any]:
    """All that a version holds but digests, which differ where a float's last bit does."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in version.folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(version.folder))
        found[name] = READERS[path.suffix](path)
    return found


def agree(one: Any, other: Any) -> bool:
    """The design's rule 13: floats within 1e-9 of the larger or 1e-12, all else equal; maps in any order."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= max(1e-12, 1e-9 * max(abs(one), abs(other)))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(key.endswith("digest") or agree(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(agree, one, other))
    return bool(one == other)


def assert_same_night(found: dict[str, Any], place: Place) -> None:
    assert found.keys() == place.expected.keys()
    assert [name for name in found if not agree(found[name], place.expected[name])] == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (0.5, 0.5 + 1e-10, True),
        (0.5, 0.5 + 1e-8, False),
        ({"a": [1, None]}, {"a": [1, None]}, True),
        ({"a": [1]}, {"a": [2]}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1.0], [1.0, 2.0], False),
        (None, 0.0, False),
    ],
)
def test_what_agrees_by_rule_13(one: object, other: object, same: bool) -> None:
    assert agree(one, other) is same


# -- on the cluster


def test_a_night_submitted_as_a_wheel_over_a_hadoop_path(
    place: Place, two_workers: Cluster, configured: dict[str, str], wheel: Path, bare_python: Path, tmp_path: Path
) -> None:
    home = place.another_home(tmp_path)
    assert subprocess.run([bare_python, "-c", "import lab"], cwd=tmp_path, capture_output=True, check=False).returncode == 1
    command = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", two_workers.master, "--py-files", str(wheel)]
    night = [str(wheel.parent / "skewlab-submit.py"), "night", "--as-of", place.as_of, "--json"]
    where = ["--home", str(home.root), "--lake", "viewfs://lab/data/lake"]
    environment = {**configured, "PYSPARK_DRIVER_PYTHON": str(bare_python)}
    with program([*command, *night, *where], tmp_path, **environment) as process:
        assert process.wait(NIGHT_S) == 0, (tmp_path / "err").read_text()[-2000:]
    assert json.loads((tmp_path / "out").read_text())["version"] == place.as_of
    assert all("Finished task" in worker.said() for worker in two_workers.workers)
    assert_same_night(place.published_in(home), place)


def test_a_cluster_that_has_no_executor_to_give(
    place: Place, two_workers: Cluster, configured: dict[str, str], tmp_path: Path
) -> None:
    conf = tmp_path / "spark-defaults.conf"
    conf.write_text(DEFAULTS.format(folder=place.home.root).replace("600m", "60g"))
    impatient = "import batch.session; batch.session.EXECUTOR_S = 1; from lab.cli import main; main()"
    night = ["night", "--as-of", place.as_of, "--home", str(place.home.root), "--master", two_workers.master]
    environment = {**configured, "SPARK_CONF_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with program([sys.executable, "-c", impatient, *night], tmp_path, **environment) as process:
        assert process.wait(NIGHT_S) == 2
    said = (tmp_path / "err").read_text().splitlines()
    assert len(said) == 1
    assert "gave no executor that works within 1 s" in said[0]


def test_a_worker_that_dies_in_the_night_changes_nothing(
    place: Place, two_workers: Cluster, configured: dict[str, str], tmp_path: Path
) -> None:
    home = place.another_home(tmp_path)
    victim = two_workers.workers[0]
    before = victim.said().count("Finished task")
    night = [sys.executable, "-m", "lab.cli", "night", "--as-of", place.as_of, "--master", two_workers.master]
    where = ["--home", str(home.root), "--lake", f"file://{place.home.lake}"]
    with program([*night, *where], tmp_path, **configured, PYTHONPATH=str(ROOT)) as process:
        wait_for(lambda: process.poll() is not None or victim.said().count("Finished task") >= before + MID_NIGHT, NIGHT_S)
        assert process.poll() is None, (tmp_path / "err").read_text()[-2000:]
        victim.kill()
        assert Versions(home.versions).names() == ["initial"]
        assert process.wait(NIGHT_S) == 0, (tmp_path / "err").read_text()[-2000:]
    assert "Lost executor" in home.spark_log.read_text()
    assert_same_night(place.published_in(home), place)


def test_the_way_to_a_master_that_stands_by_is_found(two_workers: Cluster) -> None:
    port = two_workers.master.rsplit(":", 1)[1]
    assert address_towards(f"spark://127.0.0.1:1,127.0.0.1:{port}") == "127.0.0.1"
