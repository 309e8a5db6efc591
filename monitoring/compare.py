"""Equality of two tables of rows, value for value: what exactness means (design, rule 13), and the share that agrees.

Integers, strings and nulls are equal or not. Floats are compared relative and absolute, vectors per component, maps per key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.features import BY_NAME, FEATURES, Feature

EXACT_RELATIVE, EXACT_ABSOLUTE, EXACT_COMPONENT = 1e-9, 1e-12, 1e-9
Mask = NDArray[np.bool_]


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
    """Full outer join of two tables of rows on their keys; each table has a key at most once."""
    a, b = (pd.MultiIndex.from_frame(table.select(list(keys)).to_pandas()) for table in (left, right))
    place = b.get_indexer(a)
    both = place >= 0
    return Pair(
        left=left.filter(pa.array(both)),
        right=right.take(pa.array(place[both])),
        missing=left.filter(pa.array(~both)),
        extra=right.filter(pa.array(a.get_indexer(b) < 0)),
    )


def equal(pair: Pair, name: str) -> Mask:
    """Tell for which rows a feature agrees exactly."""
    return _agree(pair, BY_NAME[name], EXACT_RELATIVE, EXACT_ABSOLUTE, EXACT_COMPONENT)


def tolerable(pair: Pair, name: str) -> Mask:
    """Tell for which rows a feature agrees within its own tolerance: what the alarm goes by."""
    feature = BY_NAME[name]
    return _agree(pair, feature, feature.tolerance, feature.tolerance, feature.tolerance)


def mismatches(pair: Pair) -> dict[str, int]:
    """Count, per feature with any, the rows that do not agree exactly."""
    counts = {feature.name: int((~equal(pair, feature.name)).sum()) for feature in FEATURES}
    return {name: count for name, count in counts.items() if count}


def _agree(pair: Pair, feature: Feature, relative: float, absolute: float, component: float) -> Mask:
    left, right = (table.column(feature.name).combine_chunks() for table in (pair.left, pair.right))
    nulls = _null(left), _null(right)
    same = nulls[0] == nulls[1]
    both = ~nulls[0] & ~nulls[1]
    if feature.kind == "map":
        same[both] = [_maps_agree(dict(a), dict(b), component) for a, b in _values(left, right, both)]
    elif feature.kind == "vector":
        same[both] = [_vectors_agree(a, b, component) for a, b in _values(left, right, both)]
    elif feature.dtype == "float64":
        a, b = (column.to_numpy(zero_copy_only=False)[both] for column in (left, right))
        same[both] = np.isclose(a, b, relative, absolute) | np.isclose(b, a, relative, absolute)
    else:
        same[both] = pc.equal(left, right).fill_null(True).to_numpy(zero_copy_only=False)[both]
    return np.asarray(same)


def _values(left: pa.Array, right: pa.Array, both: Mask) -> list[tuple[Any, Any]]:
    kept = pa.array(both)
    return list(zip(left.filter(kept).to_pylist(), right.filter(kept).to_pylist(), strict=True))


def _null(column: pa.Array) -> Mask:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))


def _vectors_agree(a: list[object], b: list[object], component: float) -> bool:
    if len(a) != len(b):
        return False
    return bool(np.allclose(np.array(a, np.float64), np.array(b, np.float64), 0, component))


def _maps_agree(a: dict[object, object], b: dict[object, object], component: float) -> bool:
    return a.keys() == b.keys() and _vectors_agree(list(a.values()), [b[key] for key in a], component)
