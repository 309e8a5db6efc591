"""Feature rows in columns: what the live path computes, what hooks of skews exchange, what frames are read into."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.event import Ints, Names
from contract.features import FEATURES, ROW_SCHEMA, TOP, Feature

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MapColumn:
    """n maps in compressed rows: row i has the keys ``keys[starts[i]:starts[i + 1]]``, by code point, and their values.

    Where ``codes`` are given, the keys are ``names[codes]``; so who wants other codes looks each name up once, not each key.
    """

    starts: NDArray[np.int64]
    keys: Names
    values: NDArray[Any]
    codes: NDArray[np.int64] | None = None
    names: Sequence[str] = ()

    def places(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of each key in a list of names, -1 where it is not there."""
        place = {name: i for i, name in enumerate(names)}
        if self.codes is None:
            return np.array([place.get(key, -1) for key in self.keys.tolist()], np.int64)
        return np.array([place.get(name, -1) for name in self.names], np.int64)[self.codes]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> dict[str, Any]:
        """Return the map of row i."""
        part = slice(self.starts[i], self.starts[i + 1])
        return dict(zip(self.keys[part].tolist(), self.values[part].tolist(), strict=True))

    def take(self, which: NDArray[np.bool_]) -> MapColumn:
        """Return the maps of the rows that a mask picks."""
        counts = np.diff(self.starts)
        inside = np.repeat(which, counts)
        starts = np.concatenate([[0], np.cumsum(counts[which])]).astype(np.int64)
        codes = None if self.codes is None else self.codes[inside]
        return MapColumn(starts, self.keys[inside], self.values[inside], codes, self.names)

    def rows(self) -> NDArray[np.int64]:
        """Return, for every entry, the row that it belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


Column = NDArray[Any] | MapColumn
"""Numbers: shape (n,), float64 with NaN for null or int64. Categories: shape (n,), ``None`` for null. Vectors: shape
(n, width), a row of NaN for null. Maps: a ``MapColumn``."""

FeatureColumns = dict[str, Column]


@dataclass(frozen=True)
class Rows:
    """n rows of features and ranking of one partition; fields as in ``contract.features.ROW_SCHEMA``."""

    user_id: Names
    as_of_ms: Ints
    cut: int
    partition: int
    version: str
    features: FeatureColumns
    shows: Names | None = None
    scores: Floats | None = None

    def __len__(self) -> int:
        return len(self.user_id)

    def replace(self, **fields: Any) -> Rows:
        """Return the rows with some fields exchanged."""
        return dataclasses.replace(self, **fields)

    def take(self, which: NDArray[np.bool_]) -> Rows:
        """Return the rows that a mask picks."""
        features = {
            name: column.take(which) if isinstance(column, MapColumn) else column[which] for name, column in self.features.items()
        }
        shows, scores = (None if column is None else column[which] for column in (self.shows, self.scores))
        return self.replace(
            user_id=self.user_id[which], as_of_ms=self.as_of_ms[which], features=features, shows=shows, scores=scores
        )

    def to_arrow(self) -> pa.Table:
        """Return the rows as a table of ``ROW_SCHEMA``."""
        n = len(self)
        columns = [
            pa.array(self.user_id, pa.string()),
            pa.array(self.as_of_ms, pa.int64()),
            pa.array(np.full(n, self.partition, np.int32)),
            pa.array(np.full(n, self.cut, np.int64)),
            pa.array([self.version] * n, pa.string()),
            *(_to_arrow(feature, self.features[feature.name]) for feature in FEATURES),
            _lists(self.shows, pa.string(), n),
            _lists(self.scores, pa.float64(), n),
        ]
        return pa.table(columns, schema=ROW_SCHEMA)


def _lists(column: NDArray[Any] | None, kind: pa.DataType, n: int) -> pa.Array:
    if column is None:
        return pa.nulls(n, pa.list_(kind))
    width = column.shape[1] if n else TOP
    starts = pa.array(np.arange(n + 1) * width, pa.int32())
    return pa.ListArray.from_arrays(starts, pa.array(column.reshape(-1), kind))


def _to_arrow(feature: Feature, column: Column) -> pa.Array:
    if isinstance(column, MapColumn):
        scalar = feature.arrow_type.item_type
        keys = pa.array(column.keys, pa.string())
        return pa.MapArray.from_arrays(pa.array(column.starts, pa.int32()), keys, pa.array(column.values, scalar))
    if feature.kind == "vector":
        return _vectors(column)
    if feature.dtype == "float64":
        return pa.array(column, pa.float64(), mask=np.isnan(column))
    return pa.array(column, feature.arrow_type)


def _vectors(column: NDArray[Any]) -> pa.Array:
    n, width = column.shape
    null = np.isnan(column).all(axis=1) if width else np.zeros(n, bool)
    counts = np.where(null, 0, width)
    starts = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    values = pa.array(column[~null].reshape(-1), pa.float64())
    return pa.ListArray.from_arrays(starts, values, mask=pa.array(null))


def map_column(rows: NDArray[np.int64], keys: Names, values: NDArray[Any], n: int) -> MapColumn:
    """Build n maps from entries (row, key, value) that are sorted by row and key."""
    counts = np.bincount(rows, minlength=n)
    return MapColumn(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), keys, values)
