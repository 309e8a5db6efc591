"""Neighbours of many listeners: how long the index takes to build and to ask, and how many true neighbours it finds."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from scipy.sparse import csr_array

from batch.engagement import Engagement
from batch.neighbours import Ints
from batch.recommending.approximate import Vectors, listener_vectors, nearest_vectors
from contract.rows import Floats
from contract.versions import ItemVectors
from lab.world.chance import stream

ITEMS = 1_600
TASTES = 64
HEARD = 60
"""Items that a listener hears, some of them more than once."""
K = 10
SAMPLE = 1_000


@dataclass(frozen=True)
class Neighbours:
    """Seconds to build the index and to find ten neighbours of everybody, on wall clock.

    ``recall`` is the share of the ten that are among the ten nearest by an exact search over the same vectors, and
    ``recall_engagement`` by exact cosines of the engagement rows, both of a sample.
    """

    listeners: int
    seconds: float
    recall: float
    recall_engagement: float


def measure(listeners: int, seed: int = 7) -> Neighbours:
    """Make so many listeners and find the ten nearest of each."""
    heard = synthetic(listeners, seed)
    vectors = listener_vectors(heard, ItemVectors.none(), seed)
    begun = perf_counter()
    near, _ = nearest_vectors(vectors, K, seed)
    seconds = perf_counter() - begun
    sample = np.sort(stream(seed, "sample").choice(listeners, min(SAMPLE, listeners), replace=False))
    return Neighbours(
        listeners,
        seconds,
        _recall(near[sample], _exact(vectors, sample)),
        _recall(near[sample], _exact_rows(heard.matrix, sample)),
    )


def synthetic(listeners: int, seed: int) -> Engagement:
    """Draw listeners who each mix some of ``TASTES`` tastes; a taste has its own favourites among the items."""
    rng = stream(seed, "synthetic listeners")
    liked = np.cumsum(rng.dirichlet(np.full(ITEMS, 0.05), TASTES), axis=1)
    of_taste = rng.multinomial(HEARD, rng.dirichlet(np.full(TASTES, 0.05), listeners))
    user, taste = np.divmod(np.repeat(np.arange(of_taste.size), of_taste.reshape(-1)), TASTES)
    item = np.empty(len(user), np.int64)
    for code in range(TASTES):
        which = np.flatnonzero(taste == code)
        item[which] = np.minimum(np.searchsorted(liked[code], rng.random(len(which))), ITEMS - 1)
    pair = np.unique(user * ITEMS + item)
    value = rng.choice([0.1, 0.5, 0.9], len(pair), p=[0.3, 0.5, 0.2])
    matrix = csr_array((value, (pair // ITEMS, pair % ITEMS)), (listeners, ITEMS))
    return Engagement(tuple(f"user-{i:06d}" for i in range(listeners)), tuple(f"item-{j:04d}" for j in range(ITEMS)), matrix)


def _exact(vectors: Vectors, sample: Ints) -> Ints:
    wide = vectors.astype(np.float64)
    return np.concatenate([_top(wide[part] @ wide.T, part) for part in _parts(sample)])


def _exact_rows(matrix: csr_array, sample: Ints) -> Ints:
    norm = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).reshape(-1))
    unit = csr_array(matrix.multiply(1 / np.maximum(norm, 1e-12)[:, None]))
    return np.concatenate([_top((unit[part] @ unit.T).toarray(), part) for part in _parts(sample)])


def _parts(sample: Ints) -> list[Ints]:
    return np.array_split(sample, max(1, len(sample) // 100))


def _top(similar: Floats, sample: Ints) -> Ints:
    similar[np.arange(len(sample)), sample] = -np.inf
    return np.argpartition(-similar, K, axis=1)[:, :K]


def _recall(found: Ints, wanted: Ints) -> float:
    return float((found[:, :, None] == wanted[:, None, :]).any(axis=1).mean())
