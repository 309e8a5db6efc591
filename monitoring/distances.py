"""How far two distributions are apart: what most drift monitors look at.

Numbers are binned by the quantiles of the reference, categories by name; null is a bin of its own.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon

from contract.features import Feature

BINS = 10
_FLOOR = 1e-4
"""A share of 0 would make PSI infinite; the usual floor."""
Floats = NDArray[np.float64]


def distances(feature: Feature, reference: pa.Table, observed: pa.Table) -> dict[str, float]:
    """Return ``psi``, ``js`` (Jensen-Shannon distance, base 2) and ``linf`` between two tables' values of a feature."""
    p, q = _shares(*(_scalars(feature, table.column(feature.name)) for table in (reference, observed)))
    floored_p, floored_q = np.maximum(p, _FLOOR), np.maximum(q, _FLOOR)
    return {
        "psi": float(np.sum((floored_q - floored_p) * np.log(floored_q / floored_p))),
        "js": float(np.nan_to_num(jensenshannon(p, q, 2))) if p.sum() and q.sum() else float(p.sum() != q.sum()),
        "linf": float(np.max(np.abs(p - q), initial=0.0)),
    }


def _scalars(feature: Feature, column: pa.ChunkedArray) -> NDArray[np.object_] | Floats:
    """Return the values to be binned: those of a map one by one, a vector by its largest component's place."""
    values = column.combine_chunks()
    if feature.kind == "map":
        return np.asarray(values.items.to_numpy(zero_copy_only=False), np.float64)
    if feature.kind == "vector":
        return np.array([str(int(np.argmax(v))) if v else "null" for v in values.to_pylist()], object)
    if feature.dtype == "string":
        return np.asarray(values.fill_null("null").to_numpy(zero_copy_only=False), object)
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)


def _shares(reference: NDArray[np.object_] | Floats, observed: NDArray[np.object_] | Floats) -> tuple[Floats, Floats]:
    if reference.dtype == object:
        names = sorted({*reference.tolist(), *observed.tolist()})
        return tuple(np.array([np.mean(v == name) if len(v) else 0.0 for name in names]) for v in (reference, observed))  # type: ignore[return-value]
    known = reference[~np.isnan(reference.astype(np.float64))].astype(np.float64)
    edges = _edges(known) if len(known) else np.empty(0)
    return _binned(reference.astype(np.float64), edges), _binned(observed.astype(np.float64), edges)


def _edges(known: Floats) -> Floats:
    """Return the inner quantiles; one that several quantiles share gets a bin of its own, so that values above it are seen."""
    found, times = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]), return_counts=True)
    return np.unique(np.concatenate([found, np.nextafter(found[times > 1], np.inf)]))


def _binned(values: Floats, edges: Floats) -> Floats:
    null = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~null], side="right"), minlength=len(edges) + 1)
    return np.append(counts, null.sum()) / max(len(values), 1)
