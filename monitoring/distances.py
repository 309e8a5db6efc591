"""How far two distributions are apart: what most drift monitors look at.

Numbers are binned by the quantiles of the reference, categories by name; null is a bin of its own, and so is what is no number.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.spatial.distance import jensenshannon

from contract.features import Feature
from monitoring.compare import EXACT_ABSOLUTE, Codes, Floats, entries_of, joint_codes, lengths_of

BINS = 10
_FLOOR = 1e-4
"""A share of 0 would make PSI infinite; the usual floor."""
_NULL = -1


def distances(feature: Feature, reference: pa.Table, observed: pa.Table) -> dict[str, float]:
    """Return ``psi``, ``js`` (Jensen-Shannon distance, base 2) and ``linf`` between two tables' values of a feature."""
    p, q = _shares(feature, *(table.column(feature.name).combine_chunks() for table in (reference, observed)))
    floored_p, floored_q = np.maximum(p, _FLOOR), np.maximum(q, _FLOOR)
    return {
        "psi": float(np.sum((floored_q - floored_p) * np.log(floored_q / floored_p))),
        "js": float(np.nan_to_num(jensenshannon(p, q, 2))) if p.sum() and q.sum() else float(p.sum() != q.sum()),
        "linf": float(np.max(np.abs(p - q), initial=0.0)),
    }


def _shares(feature: Feature, reference: pa.Array, observed: pa.Array) -> tuple[Floats, Floats]:
    """Return the share of values in each bin: of a map one by one, of a vector by its largest component's place."""
    if feature.kind == "vector":
        return _counted(_largest(reference), _largest(observed))
    if feature.dtype == "string":
        return _counted(*joint_codes(reference, observed))
    if feature.kind == "map":
        reference, observed = (entries_of(maps, maps.items) for maps in (reference, observed))
    known, seen = (np.asarray(values.to_numpy(zero_copy_only=False), np.float64) for values in (reference, observed))
    finite = known[np.isfinite(known)]
    edges = _edges(finite, feature.tolerance) if len(finite) else np.empty(0)
    return _binned(known, edges), _binned(seen, edges)


def _largest(vectors: pa.ListArray) -> Codes:
    """Return the place of each vector's largest component; ``_NULL`` for none."""
    places = np.full(len(vectors), _NULL, np.int64)
    filled = vectors.fill_null([])
    lengths, values = lengths_of(filled), filled.flatten().to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    for width in np.unique(lengths[lengths > 0]).tolist():
        rows = np.flatnonzero(lengths == width)
        whole = len(rows) * width == len(values)
        places[rows] = np.argmax(values.reshape(-1, width) if whole else values[starts[rows, None] + np.arange(width)], axis=1)
    return places


def _counted(reference: Codes, observed: Codes) -> tuple[Floats, Floats]:
    """Return the share of each code that occurs."""
    known, codes = np.unique(np.concatenate([reference, observed]), return_inverse=True)
    counts = (np.bincount(part, minlength=len(known)) for part in (codes[: len(reference)], codes[len(reference) :]))
    p, q = (count / max(count.sum(), 1) for count in counts)
    return p, q


def _edges(known: Floats, tolerance: float) -> Floats:
    """Return the inner quantiles; one that several quantiles share gets a bin of its own, so that values above it are seen.

    A quantile is often a value that many listeners have, like one half. The edges stand beside it by a tolerance, or the noise
    of 32-bit floats would move them all into the next bin.
    """
    found, times = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]), return_counts=True)
    margin = np.maximum(tolerance * np.abs(found), EXACT_ABSOLUTE)
    return np.unique(np.concatenate([found - margin, (found + margin)[times > 1]]))


def _binned(values: Floats, edges: Floats) -> Floats:
    """Return the share of values in each bin, of infinities on either side, and of nulls and NaN."""
    finite = np.isfinite(values)
    counts = np.bincount(np.searchsorted(edges, values[finite], side="right"), minlength=len(edges) + 1)
    others = [np.sum(values == -np.inf), np.sum(values == np.inf), np.isnan(values).sum()]
    return np.concatenate([counts, others]) / max(len(values), 1)
