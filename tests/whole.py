"""Whether a published version is whole, and what it says: two versions of one content are equal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.home import Home
from contract.records import Activation, Watermark
from contract.versions import INITIAL, ItemVectors, Manifest, Version, Versions
from lab.pipeline import Pipeline
from lab.source import WorldSource
from lab.world import World
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore

BASE = "base"
PARTITIONS = 2
SUFFIXES = (".parquet", ".json", ".md")


def content(version: Version) -> dict[str, object]:
    """Read all that a version holds; fail where anything of it cannot be read or is not what the manifest says."""
    folder = version.folder
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert {path.suffix for path in files} <= set(SUFFIXES), "nothing that was being written is left in it"
    tables = {str(path.relative_to(folder)): pq.read_table(path) for path in files if path.suffix == ".parquet"}
    texts = {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix != ".parquet"}
    manifest, ranker = version.manifest, version.ranker  # a ranker is held to its digest as it is read
    assert manifest.version == version.name
    assert manifest.ranker_digest == (ranker.digest if ranker else None)
    assert len(version.catalogue.items) > 0
    assert set(version.item_vectors.items) <= set(version.catalogue.items)
    assert all(user for user in version.preferences)
    if version.name not in {INITIAL, BASE}:
        _require_people(tables, manifest)
    return {**{name: table.to_pylist() for name, table in tables.items()}, **texts}


def _require_people(tables: dict[str, pa.Table], manifest: Manifest) -> None:
    rows, profiles = tables["rows/part-00000.parquet"], tables["profiles.parquet"]
    assert len(rows) == manifest.listeners > 0
    assert len(profiles) >= manifest.listeners


@contextmanager
def unchanged(versions: Versions) -> Iterator[None]:
    """Fail where the published versions or the pointer are not the same afterwards, or where anything lies beside them."""
    before = {name: content(versions.get(name)) for name in versions.names()}, versions.current
    yield
    assert ({name: content(versions.get(name)) for name in versions.names()}, versions.current) == before
    assert len(builds(versions)) == len(versions.names())


def builds(versions: Versions) -> list[str]:
    """Return the names of the folders that hold versions and drafts."""
    return [path.name for path in versions.folder.iterdir() if path.is_dir() and not path.is_symlink()]


def small_lake(home: Home) -> int:
    """Fill a lake up to its first midnight, with a version of a week's vectors that is active; return the midnight.

    So a night trains nothing, and takes seconds.
    """
    world = World(seed=3, users=30, history_days=28)
    midnight = world.midnight(0)
    versions = Versions(home.versions)
    versions.publish_initial(world.catalogue)
    with versions.building(BASE) as draft:
        world.catalogue.write(draft / "catalogue.parquet")
        items = tuple(world.catalogue.items)[:3]
        ItemVectors(items, np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])).write(draft / "item_vectors.parquet")
        versions.publish(draft, Manifest(BASE, midnight, {}, INITIAL, midnight, None, 0))
    store = MemoryStore()
    pipeline = Pipeline(home, MemoryLog(PARTITIONS), store, Member(home, store, PARTITIONS, 100), PARTITIONS)
    pipeline.archive_history(WorldSource(world, 1).history(), midnight)
    pipeline.open()
    pipeline.control(Activation(BASE))
    pipeline.control(Watermark(midnight))
    pipeline.archive()
    return midnight
