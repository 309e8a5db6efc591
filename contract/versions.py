"""Published versions: what a night made and the live path scores with.

A version is a link to a folder that was complete before it was linked: so it is complete or absent, and published again in one
move. It holds all that a row needs to be computed again: the catalogue, the item vectors and the ranker; and what the night
computed. ``initial`` has a catalogue only and is active before the first activation.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.catalogue import Catalogue
from contract.errors import UsageError
from contract.home import write_whole
from contract.preferences import Preferences, read_preferences
from contract.ranker import Ranker
from contract.rows import Floats

INITIAL = "initial"
PREFERENCES = "preferences.json"


class Manifest(msgspec.Struct, frozen=True):
    """What a version is made of. ``computed_with`` was active at its cut: its rows used that one's catalogue and vectors."""

    version: str
    as_of_ms: int
    cuts: dict[int, int]
    computed_with: str
    vectors_as_of_ms: int | None
    ranker_digest: str | None
    listeners: int


@dataclass(frozen=True)
class ItemVectors:
    """Item vectors of shape (n, rank), aligned with ``items``."""

    items: tuple[str, ...]
    matrix: Floats

    @property
    def rank(self) -> int:
        """The length of a vector; 0 where there are none."""
        return int(self.matrix.shape[1])

    def write(self, path: Path) -> None:
        """Write as Parquet: ``item_id``, ``vector``."""
        pq.write_table(pa.table({"item_id": list(self.items), "vector": list(self.matrix)}, _VECTOR_SCHEMA), path)

    @staticmethod
    def read(path: Path) -> ItemVectors:
        """Read what ``write`` wrote."""
        table = pq.read_table(path)
        vectors = table.column("vector").to_pylist()
        if not vectors:
            return ItemVectors.none()
        return ItemVectors(tuple(table.column("item_id").to_pylist()), np.array(vectors, np.float64).reshape(len(vectors), -1))

    @staticmethod
    def none() -> ItemVectors:
        """No vectors at all."""
        return ItemVectors((), np.empty((0, 0)))


_VECTOR_SCHEMA = pa.schema([("item_id", pa.string()), ("vector", pa.list_(pa.float64()))])


@dataclass(frozen=True)
class Version:
    """A version as it lies on disk; parts are read when first asked for."""

    folder: Path

    @cached_property
    def manifest(self) -> Manifest:
        """What it is made of."""
        return msgspec.json.decode((self.folder / "manifest.json").read_bytes(), type=Manifest)

    @property
    def name(self) -> str:
        """Its name: the date of its night."""
        return self.folder.name

    @cached_property
    def catalogue(self) -> Catalogue:
        """Its catalogue."""
        return Catalogue.read(self.folder / "catalogue.parquet")

    @cached_property
    def item_vectors(self) -> ItemVectors:
        """Its item vectors, none in ``initial``."""
        path = self.folder / "item_vectors.parquet"
        return ItemVectors.read(path) if path.exists() else ItemVectors.none()

    @cached_property
    def ranker(self) -> Ranker | None:
        """Its ranker, or None where there was nothing to train one on."""
        path = self.folder / "ranker.json"
        return Ranker.read(path) if path.exists() else None

    @cached_property
    def preferences(self) -> Preferences:
        """What listeners had asked for when the night ran."""
        return read_preferences(self.folder / PREFERENCES)

    @property
    def rows(self) -> Path:
        """The night's rows of ``ROW_SCHEMA``, in Parquet files of this folder."""
        return self.folder / "rows"


class Versions:
    """The folder of published versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Version:
        """Return a published version.

        Raises:
            UsageError: there is none of this name.
        """
        version = Version(self.folder / name)
        if name not in self.names():
            raise UsageError(f"There is no version '{name}' in {self.folder}", "", "See 'skewlab versions'")
        return version

    def names(self) -> list[str]:
        """Return the names of all published versions, oldest first."""
        found = (path.parent.name for path in self.folder.glob("*/manifest.json"))
        return sorted((name for name in found if not name.startswith(".")), key=lambda name: (name != INITIAL, name))

    def draft(self, name: str) -> Path:
        """Return an empty folder to build a version in; nothing reads it before ``publish``."""
        for left in self._builds(name):
            shutil.rmtree(left)
        draft = self.folder / f".{name}.{uuid.uuid4().hex[:12]}"
        draft.mkdir(parents=True)
        return draft

    def _builds(self, name: str) -> list[Path]:
        """Return the folders built for a name, less the one that it links to."""
        published = (self.folder / name).resolve()
        return [build for build in self.folder.glob(f".{name}.*") if build.is_dir() and build.resolve() != published]

    def publish(self, draft: Path, manifest: Manifest) -> Version:
        """Make a finished draft a version: its manifest is written last, then the name is linked to it, in one move."""
        write_whole(draft / "manifest.json", msgspec.json.encode(manifest))
        link = draft.with_name(f"{draft.name}.link")
        link.symlink_to(draft.name, target_is_directory=True)
        link.replace(self.folder / manifest.version)
        for left in self._builds(manifest.version):
            shutil.rmtree(left)
        return Version(self.folder / manifest.version)

    def publish_initial(self, catalogue: Catalogue) -> Version:
        """Publish the version that holds the catalogue alone."""
        draft = self.draft(INITIAL)
        catalogue.write(draft / "catalogue.parquet")
        return self.publish(draft, Manifest(INITIAL, 0, {}, INITIAL, None, None, 0))

    @property
    def current(self) -> str:
        """The name of the version that the pointer names."""
        pointer = self.folder / "CURRENT"
        return pointer.read_text().strip() if pointer.exists() else INITIAL

    def point_to(self, name: str) -> None:
        """Move the pointer, atomically."""
        write_whole(self.folder / "CURRENT", self.get(name).name.encode())
