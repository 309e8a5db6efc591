"""Building versions: one at a time, nothing left behind, and whole however it ends."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.catalogue import Catalogue, Item
from contract.errors import InfrastructureError
from contract.versions import INITIAL, Manifest, Versions
from tests.whole import builds

ROOT = Path(__file__).parent.parent
NAME = "2026-01-08"
CATALOGUE = Catalogue.of([Item("song", "Song")])


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    found = Versions(tmp_path / "versions")
    found.publish_initial(CATALOGUE)
    return found


def build(versions: Versions, name: str = NAME, rows: int = 3) -> None:
    """Publish a version of a table whose rows the manifest counts."""
    with versions.building(name) as draft:
        CATALOGUE.write(draft / "catalogue.parquet")
        (draft / "rows").mkdir()
        pq.write_table(pa.table({"row": range(rows)}), draft / "rows" / "part-00000.parquet")
        versions.publish(draft, Manifest(name, 0, {}, INITIAL, None, None, rows))


def test_what_was_built_is_published_and_nothing_lies_beside_it(versions: Versions) -> None:
    build(versions)
    build(versions, rows=5)
    assert versions.names() == [INITIAL, NAME]
    assert versions.get(NAME).manifest.listeners == pq.read_table(versions.get(NAME).rows).num_rows == 5
    assert len(builds(versions)) == 2


def _give_up(versions: Versions, ends: type[BaseException]) -> None:
    with versions.building(NAME) as draft:
        (draft / "file").write_bytes(b"")
        raise ends


@pytest.mark.parametrize("ends", [KeyboardInterrupt, ValueError])
def test_a_draft_that_is_given_up_is_removed(versions: Versions, ends: type[BaseException]) -> None:
    build(versions)
    with pytest.raises(ends):
        _give_up(versions, ends)
    assert versions.get(NAME).manifest.listeners == 3
    assert len(builds(versions)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")
def test_only_one_version_is_built_at_a_time(versions: Versions) -> None:
    with versions.building(NAME) as draft:
        with pytest.raises(InfrastructureError, match="another one is being built"):
            build(versions, "2026-01-09")
        assert draft.exists(), "and the other one's draft is left alone"
    build(versions, "2026-01-09")


def test_whatever_died_before_goes_with_the_next_version_of_any_name(versions: Versions) -> None:
    died = versions.folder / ".2026-01-07.0123456789ab"
    died.mkdir()
    (died / "rows.parquet").write_bytes(b"half")
    (versions.folder / ".2026-01-07.0123456789ab.link").symlink_to(died.name, target_is_directory=True)
    (versions.folder / ".2026-01-06.0123456789ab.link").symlink_to("nowhere", target_is_directory=True)
    build(versions)
    left = {path.name for path in versions.folder.iterdir()} - {".lock", INITIAL, NAME}
    assert left == {link.readlink().name for link in (versions.folder / INITIAL, versions.folder / NAME)}


@contextmanager
def full_disk(at_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size, as a disk does that is full; this process alone."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("at_bytes", [0, 1, 100, 2_000])
def test_a_full_disk_is_told_in_one_line_and_the_old_version_stays(versions: Versions, at_bytes: int) -> None:
    build(versions)
    versions.point_to(NAME)
    with pytest.raises(InfrastructureError) as told, full_disk(at_bytes):
        build(versions, "2026-01-09", rows=100_000)
    assert "version '2026-01-09' could not be written" in str(told.value)
    assert f"Version '{NAME}' stays in use: free the disk and run it again." in str(told.value)
    assert len(str(told.value).splitlines()) == 1
    assert versions.names() == [INITIAL, NAME]
    assert versions.current == NAME
    assert pq.read_table(versions.get(NAME).rows).num_rows == 3
    assert len(builds(versions)) == 2, "and the draft is gone"


def test_a_pointer_that_the_disk_does_not_take_stays_where_it_was(versions: Versions) -> None:
    build(versions)
    versions.point_to(INITIAL)
    with pytest.raises(InfrastructureError, match=r"CURRENT could not be written.*Free the disk"), full_disk(0):
        versions.point_to(NAME)
    assert versions.current == INITIAL


PUBLISHES = """
import sys
from contract.versions import Versions
from pathlib import Path
from tests.test_building import build
versions = Versions(Path(sys.argv[1]))
print("ready", flush=True)
for rows in range(1, 100_000):
    build(versions, rows=rows % 7)
    versions.point_to(("initial", "2026-01-08")[rows % 2])
"""


def test_publishing_that_is_killed_anywhere_leaves_only_whole_versions(versions: Versions) -> None:
    chance = random.Random(5)
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", PUBLISHES, str(versions.folder)], cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.02, 0.1))
        process.kill()
        process.wait()
        process.stdout.close()
        for name in versions.names():
            version = versions.get(name)
            assert version.catalogue == CATALOGUE
            if name == NAME:
                assert pq.read_table(version.rows).num_rows == version.manifest.listeners
        assert versions.current in versions.names()
        assert len(builds(versions)) <= len(versions.names()) + 2
    build(versions)
    assert len(builds(versions)) == len(versions.names())


def test_a_manifest_that_cannot_be_read_is_told_in_one_line(versions: Versions) -> None:
    build(versions)
    path = versions.folder / NAME / "manifest.json"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InfrastructureError, match=r"manifest\.json cannot be read.*Run the version's night again"):
        _ = versions.get(NAME).manifest
