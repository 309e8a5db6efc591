"""Equality of two tables of rows, value for value: what exactness means (design, rule 13), and the share that agrees.

Integers, strings and nulls are equal or not. Floats are compared relative or absolute, vectors per component, maps per key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.errors import CannotJudge
from contract.features import BY_NAME, FEATURES, Feature

EXACT_RELATIVE, EXACT_ABSOLUTE, EXACT_COMPONENT = 1e-9, 1e-12, 1e-9
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """The same rows of two paths, aligned: row i of ``left`` and row i of ``right`` answer the same request."""

    left: pa.Table
    right: pa.Table
    missing: pa.Table
    """Requests that only the left side has."""
    extra: pa.Table
    """Requests that only the right side has."""

    def __len__(self) -> int:
        return len(self.left)


def align(left: pa.Table, right: pa.Table, keys: tuple[str, ...]) -> Pair:
    """Full outer join of two tables of rows on their keys. A key that the right side has twice is extra the second time.

    Raises:
        CannotJudge: the left side, whose rows are the measure, has a key twice.
    """
    a, b = (pd.MultiIndex.from_frame(table.select(list(keys)).to_pandas()) for table in (left, right))
    if not a.is_unique:
        twice = dict(zip(keys, a[a.duplicated()][0], strict=True))
        raise CannotJudge("The batch path has two rows of one request", f"{twice}", "Look at the night's rows")
    first = ~b.duplicated()
    where = np.flatnonzero(first)
    place = b[first].get_indexer(a)
    both = place >= 0
    return Pair(
        left=left.filter(pa.array(both)),
        right=right.take(pa.array(where[place[both]])),
        missing=left.filter(pa.array(~both)),
        extra=right.filter(pa.array(~first | (a.get_indexer(b) < 0))),
    )


def equal(pair: Pair, name: str) -> Mask:
    """Tell for which rows a feature agrees exactly."""
    return _agree(pair, BY_NAME[name], EXACT_RELATIVE, EXACT_COMPONENT)


def tolerable(pair: Pair, name: str) -> Mask:
    """Tell for which rows a feature agrees within its own tolerance: what the alarm goes by."""
    feature = BY_NAME[name]
    return _agree(pair, feature, feature.tolerance, feature.tolerance)


def mismatches(pair: Pair) -> dict[str, int]:
    """Count, per feature with any, the rows that do not agree exactly."""
    counts = {feature.name: int((~equal(pair, feature.name)).sum()) for feature in FEATURES}
    return {name: count for name, count in counts.items() if count}


def _agree(pair: Pair, feature: Feature, relative: float, component: float) -> Mask:
    left, right = (table.column(feature.name).combine_chunks() for table in (pair.left, pair.right))
    nulls = _null(left), _null(right)
    both = ~nulls[0] & ~nulls[1]
    same: Mask = nulls[0] == nulls[1]
    a, b = (column.filter(pa.array(both)) for column in (left, right))
    if feature.kind == "map":
        same[both] = _maps_agree(a, b, component)
    elif feature.kind == "vector":
        same[both] = _vectors_agree(a, b, component)
    elif feature.dtype == "float64":
        same[both] = _close(a.to_numpy(zero_copy_only=False), b.to_numpy(zero_copy_only=False), relative)
    else:
        same[both] = pc.equal(a, b).to_numpy(zero_copy_only=False)
    return same


def _null(column: pa.Array) -> Mask:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))


def _close(a: Floats, b: Floats, relative: float) -> Mask:
    """Compare numbers: within a relative distance of the larger, or an absolute one; infinities equal themselves, NaN nothing."""
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= np.maximum(relative * np.maximum(np.abs(a), np.abs(b)), EXACT_ABSOLUTE)
    return np.asarray((a == b) | (near & np.isfinite(a) & np.isfinite(b)))


def _vectors_agree(a: pa.ListArray, b: pa.ListArray, component: float) -> Mask:
    same = _lengths(a) == _lengths(b)
    x, y = (column.filter(pa.array(same)) for column in (a, b))
    same[same] = _all_by_row(_within(_flat(x.flatten()), _flat(y.flatten()), component), _lengths(x))
    return np.asarray(same)


def _maps_agree(a: pa.MapArray, b: pa.MapArray, component: float) -> Mask:
    """Compare maps whatever the order of their entries; a key that stands twice is two entries."""
    same = _lengths(a) == _lengths(b)
    x, y = (_entries(column.filter(pa.array(same))) for column in (a, b))
    keys, values = x[0] == y[0], _within(x[1], y[1], component)
    same[same] = _all_by_row(keys & values, _lengths(a)[same])
    return np.asarray(same)


def _entries(maps: pa.MapArray) -> tuple[NDArray[np.object_], NDArray[Any]]:
    """Return keys and values of all entries, by row and key."""
    row = np.repeat(np.arange(len(maps)), _lengths(maps))
    keys = maps.keys.to_numpy(zero_copy_only=False).astype(object)
    order = np.lexsort((keys.astype(str), row)) if len(keys) else np.empty(0, np.int64)
    return keys[order], _flat(maps.items)[order]


def _within(a: NDArray[Any], b: NDArray[Any], component: float) -> Mask:
    if a.dtype.kind == "i":
        return np.asarray(a == b)
    with np.errstate(invalid="ignore"):
        return np.asarray((a == b) | (np.abs(a - b) <= component))


def _all_by_row(good: Mask, lengths: NDArray[np.int64]) -> Mask:
    """Tell for which rows all of their values are good; rows without values are."""
    bad = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[~good], minlength=len(lengths))
    return np.asarray(bad == 0)


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(np.diff(column.offsets.to_numpy()), np.int64)


def _flat(values: pa.Array) -> NDArray[Any]:
    return np.asarray(values.to_numpy(zero_copy_only=False))
