"""Ranking quality, one value a listener.

Everywhere ``relevance`` (n, m) holds how relevant each of m items is to each of n listeners, and ``ranked`` (n, length) the codes
of items, 0 to m - 1, in the order in which they are shown, without repeats. Where only relevant or not matters, relevant is what
is above 0. The mean over listeners is the caller's: ``np.nanmean`` leaves those out to whom nothing is relevant, since no order
is better than another for them. A list shorter than k is no excuse: it is held against all k places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import Ints
from contract.features import TOP
from contract.rows import Floats


def order(scores: Floats) -> Ints:
    """Return the codes of items by falling score, shape (n, m); ties go to the lower code."""
    return np.argsort(-scores, axis=1, kind="stable")


def precision(relevance: Floats, ranked: Ints, k: int = TOP) -> Floats:
    """Return the share of the first k places that hold something relevant, shape (n,); 0 where nothing is relevant."""
    return np.asarray(_hits(relevance, ranked, k).sum(axis=1) / k)


def recall(relevance: Floats, ranked: Ints, k: int = TOP) -> Floats:
    """Return the share of what is relevant that stands in the first k places, shape (n,); NaN where nothing is relevant."""
    return _ratio(_hits(relevance, ranked, k).sum(axis=1), (relevance > 0).sum(axis=1))


def average_precision(relevance: Floats, ranked: Ints, k: int = TOP) -> Floats:
    """Return AP@k, shape (n,), whose mean is MAP@k; NaN where nothing is relevant.

    The precisions at the places of the hits are summed and divided by the best possible number of hits, ``min(k, relevant)``
    (Manning, Raghavan & Schütze 2008, section 8.4).
    """
    hits = _hits(relevance, ranked, k)
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return _ratio((precisions * hits).sum(axis=1), np.minimum((relevance > 0).sum(axis=1), k))


def reciprocal_rank(relevance: Floats, ranked: Ints) -> Floats:
    """Return one over the place of the first hit, shape (n,), whose mean is MRR (Voorhees 1999).

    0 where the list has no hit, NaN where nothing is relevant at all.
    """
    hits = _hits(relevance, ranked, ranked.shape[1])
    first = (hits / np.arange(1, hits.shape[1] + 1)).max(axis=1, initial=0.0)
    return np.where((relevance > 0).any(axis=1), first, np.nan)


def ndcg(relevance: Floats, ranked: Ints, k: int = TOP) -> Floats:
    """Return NDCG@k with linear gains (Järvelin & Kekäläinen 2002), shape (n,); NaN where nothing is relevant."""
    discount = 1.0 / np.log2(np.arange(k) + 2)
    shown = np.take_along_axis(relevance, ranked[:, :k], axis=1)
    best = -np.sort(-relevance, axis=1)[:, :k]
    return _ratio(shown @ discount[: shown.shape[1]], best @ discount[: best.shape[1]])


def _hits(relevance: Floats, ranked: Ints, k: int) -> NDArray[np.bool_]:
    return np.take_along_axis(relevance > 0, ranked[:, :k], axis=1)


def _ratio(part: Floats | Ints, whole: Floats | Ints) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
