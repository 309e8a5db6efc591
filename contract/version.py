"""One published version: what it is made of, and its parts as they are read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.catalogue import Catalogue
from contract.errors import InfrastructureError
from contract.features import FEATURE_FIELDS, KEY_FIELDS
from contract.preferences import Preferences, read_preferences
from contract.ranker import Ranker
from contract.recommendation import Recommended
from contract.rows import Floats

T = TypeVar("T")

INITIAL = "initial"
PREFERENCES = "preferences.json"
POPULAR = "popular.json"
TRAINING = "training.parquet"

TRAINING_SCHEMA = pa.schema([*KEY_FIELDS[:2], *FEATURE_FIELDS])
"""A row that a ranker was trained on: whose it is, the midnight that it stands for, and the features."""


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
        """What it is made of.

        Raises:
            InfrastructureError: it cannot be read.
        """
        return _decoded(self.folder / "manifest.json", Manifest)

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

    @cached_property
    def popular(self) -> tuple[Recommended, ...]:
        """What it recommends to whoever wants nothing personal, best first; nothing where it was made without.

        Raises:
            InfrastructureError: it cannot be read.
        """
        path = self.folder / POPULAR
        return _decoded(path, tuple[Recommended, ...]) if path.exists() else ()

    @property
    def training(self) -> pa.Table:
        """A sample of the rows of ``TRAINING_SCHEMA`` that its night trained rankers on; none where it trained none."""
        path = self.folder / TRAINING
        return pq.read_table(path, schema=TRAINING_SCHEMA) if path.exists() else TRAINING_SCHEMA.empty_table()

    @property
    def rows(self) -> Path:
        """The night's rows of ``ROW_SCHEMA``, in Parquet files of this folder."""
        return self.folder / "rows"


def _decoded(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InfrastructureError(f"{path} cannot be read", str(error), "Run the version's night again") from error
