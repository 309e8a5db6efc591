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
Codes = NDArray[np.int64]


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
    a, b = _coded(left.select(list(keys)), right.select(list(keys)))
    if not a.is_unique:
        twice = left.select(list(keys)).slice(int(np.argmax(a.duplicated())), 1).to_pylist()[0]
        raise CannotJudge("The batch path has two rows of one request", f"{twice}", "Look at the night's rows")
    first = ~b.duplicated()
    where = np.flatnonzero(first)
    place = b[first].get_indexer(a)
    both = place >= 0
    return Pair(
        left=_filtered(left, both),
        right=_taken(right, where[place[both]]),
        missing=_filtered(left, ~both),
        extra=_filtered(right, ~first | (a.get_indexer(b) < 0)),
    )


def agreement(pair: Pair, name: str) -> tuple[Mask, Mask]:
    """Return for which rows a feature agrees exactly, and for which within its tolerance: no row of the first is beyond it."""
    feature = BY_NAME[name]
    left, right = (table.column(name).combine_chunks() for table in (pair.left, pair.right))
    exact = _agree(left, right, feature, EXACT_RELATIVE, EXACT_COMPONENT)
    rest = np.flatnonzero(~exact)
    borne = exact.copy()
    a, b = (column.take(pa.array(rest)) for column in (left, right))
    borne[rest] = _agree(a, b, feature, feature.tolerance, feature.tolerance)
    return exact, borne


def equal(pair: Pair, name: str) -> Mask:
    """Tell for which rows a feature agrees exactly."""
    return agreement(pair, name)[0]


def tolerable(pair: Pair, name: str) -> Mask:
    """Tell for which rows a feature agrees within its own tolerance: what the alarm goes by."""
    return agreement(pair, name)[1]


def mismatches(pair: Pair) -> dict[str, int]:
    """Count, per feature with any, the rows that do not agree exactly."""
    counts = {feature.name: int((~equal(pair, feature.name)).sum()) for feature in FEATURES}
    return {name: count for name, count in counts.items() if count}


def joint_codes(a: pa.Array, b: pa.Array) -> tuple[Codes, Codes]:
    """Return two columns of texts as numbers that stand in the order of the texts: equal where these are; null is the largest."""
    encoded = pa.chunked_array([a, b]).combine_chunks().dictionary_encode()
    rank = pc.rank(encoded.dictionary, tiebreaker="dense").to_numpy().astype(np.int64)
    codes = np.append(rank, len(rank) + 1)[encoded.indices.fill_null(len(rank)).to_numpy()]
    return codes[: len(a)], codes[len(a) :]


def _coded(left: pa.Table, right: pa.Table) -> tuple[pd.Index, pd.Index]:
    """Return one number for each key of both tables: equal where keys are."""
    codes, both = np.zeros(len(left) + len(right), np.int64), pa.concat_tables([left, right], promote_options="permissive")
    for column in both.columns:
        encoded = column.combine_chunks().dictionary_encode()
        mixed = codes * max(len(encoded.dictionary), 1) + encoded.indices.to_numpy(zero_copy_only=False)
        codes = pd.factorize(mixed)[0].astype(np.int64)  # few numbers again, or a third key would be too much for 64 bits
    return pd.Index(codes[: len(left)]), pd.Index(codes[len(left) :])


def _filtered(table: pa.Table, which: Mask) -> pa.Table:
    """Pick rows; nothing is copied where it is all of them."""
    return table if which.all() else table.filter(pa.array(which))


def _taken(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """Pick rows in an order, one column after the other: two copies of a whole table would be a lot."""
    if len(rows) == len(table) and np.array_equal(rows, np.arange(len(table))):
        return table
    where = pa.array(rows)
    return pa.table([column.combine_chunks().take(where) for column in table.columns], schema=table.schema)


def _agree(left: pa.Array, right: pa.Array, feature: Feature, relative: float, component: float) -> Mask:
    nulls = _null(left), _null(right)
    both = ~nulls[0] & ~nulls[1]
    same: Mask = nulls[0] == nulls[1]
    a, b = (column if both.all() else column.filter(pa.array(both)) for column in (left, right))
    if feature.kind == "map":
        same[both] = _maps_agree(a, b, component)
    elif feature.kind == "vector":
        same[both] = _vectors_agree(a, b, component)
    elif feature.dtype == "float64":
        same[both] = _close(_flat(a), _flat(b), relative)
    else:
        same[both] = pc.equal(a, b).to_numpy(zero_copy_only=False)
    return same


def _null(column: pa.Array) -> Mask:
    return np.array(column.is_null().to_numpy(zero_copy_only=False))


def _close(a: Floats, b: Floats, relative: float) -> Mask:
    """Compare numbers: within a relative distance of the larger, or an absolute one; infinities equal themselves, NaN nothing."""
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= np.maximum(relative * np.maximum(np.abs(a), np.abs(b)), EXACT_ABSOLUTE)
    return np.asarray((a == b) | (near & np.isfinite(a) & np.isfinite(b)))


def _vectors_agree(a: pa.ListArray, b: pa.ListArray, component: float) -> Mask:
    same = lengths_of(a) == lengths_of(b)
    x, y = (column if same.all() else column.filter(pa.array(same)) for column in (a, b))
    same[same] = _all_by_row(_within(_flat(x.flatten()), _flat(y.flatten()), component), lengths_of(x))
    return np.asarray(same)


def _maps_agree(a: pa.MapArray, b: pa.MapArray, component: float) -> Mask:
    """Compare maps whatever the order of their entries; a key that stands twice is two entries."""
    same = lengths_of(a) == lengths_of(b)
    x, y = (column if same.all() else column.filter(pa.array(same)) for column in (a, b))
    counts = lengths_of(x)
    keys, others = joint_codes(entries_of(x, x.keys), entries_of(y, y.keys))
    values, theirs = _flat(entries_of(x, x.items)), _flat(entries_of(y, y.items))
    if not np.array_equal(keys, others):
        row = np.repeat(np.arange(len(counts)), counts)
        mine, other = np.lexsort((keys, row)), np.lexsort((others, row))
        keys, values, others, theirs = keys[mine], values[mine], others[other], theirs[other]
    same[same] = _all_by_row((keys == others) & _within(values, theirs, component), counts)
    return np.asarray(same)


def entries_of(maps: pa.MapArray, entries: pa.Array) -> pa.Array:
    """Return the keys or items of the maps of an array: its own attributes are those of all that it was cut from."""
    if not len(maps):
        return entries[:0]
    first, end = maps.offsets[0].as_py(), maps.offsets[-1].as_py()
    return entries[first:end]


def _within(a: NDArray[Any], b: NDArray[Any], component: float) -> Mask:
    if a.dtype.kind == "i":
        return np.asarray(a == b)
    with np.errstate(invalid="ignore"):
        return np.asarray((a == b) | (np.abs(a - b) <= component))


def _all_by_row(good: Mask, lengths: NDArray[np.int64]) -> Mask:
    """Tell for which rows all of their values are good; rows without values are."""
    ends = np.cumsum(lengths)
    bad = np.searchsorted(ends, np.flatnonzero(~good), side="right")
    found = np.ones(len(lengths), np.bool_)
    found[bad] = False
    return found


def lengths_of(column: pa.Array) -> NDArray[np.int64]:
    """Return how many values each list or map has."""
    return np.asarray(np.diff(column.offsets.to_numpy()), np.int64)


def _flat(values: pa.Array) -> NDArray[Any]:
    return np.asarray(values.to_numpy(zero_copy_only=False))
