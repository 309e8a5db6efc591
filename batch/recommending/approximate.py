"""The listeners most alike where they are too many to compare all with all: a graph index over their vectors.

The index is Voyager's, a hierarchical navigable small world (Malkov & Yashunin 2020). It holds each vector once: many equal
vectors would make islands in the graph, and who shares a vector with somebody is alike without asking.
"""

from __future__ import annotations

import numpy as np
import voyager
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD

from batch.engagement import Engagement
from batch.neighbours import Ints, best, neighbours
from contract.rows import Floats
from contract.versions import ItemVectors

APPROXIMATE_FROM = 20_000
"""From so many listeners on: the exact search grows with their square."""
RANK = 32
LINKS, BREADTH, SEARCH = 16, 100, 100
"""Links of a vector, breadth of the search as it is put in and as neighbours are looked for; measured in
``docs/recommendations.md``."""
SMALL = 2_000
"""So few different vectors are compared all with all."""
_BLOCK = 256

Vectors = NDArray[np.float32]


def nearest(heard: Engagement, vectors: ItemVectors, k: int, seed: int) -> tuple[Ints, Floats]:
    """Return the k most similar listeners of each and their cosines, both (n, k); -1 and 0 where there are fewer.

    Exact, by engagement rows, below ``APPROXIMATE_FROM`` listeners; from there on by the index over listener vectors.
    """
    if len(heard.users) < APPROXIMATE_FROM:
        return neighbours(heard.matrix, k)
    return nearest_vectors(listener_vectors(heard, vectors, seed), k, seed)


def listener_vectors(heard: Engagement, vectors: ItemVectors, seed: int) -> Vectors:
    """Return each listener's vector as the registry defines ``user_vector``, (n, rank); zeros where there is none.

    Before the first night has trained item vectors, their place is taken by the right singular vectors of the engagement.
    """
    if not vectors.rank:
        return _unit(heard.matrix @ _singular(heard, seed))
    place = {item: i for i, item in enumerate(vectors.items)}
    known = np.array([place.get(item, -1) for item in heard.items], np.int64)
    of_items = np.where((known >= 0)[:, None], vectors.matrix[known], 0.0)
    return _unit(heard.matrix @ of_items)


def nearest_vectors(unit: Vectors, k: int, seed: int) -> tuple[Ints, Floats]:
    """Return the k nearest of each row of ``unit`` (n, rank; of length 1 or 0) and their cosines, both (n, k), as ``nearest``.

    The same rows and seed give the same neighbours: vectors are put in one after the other, in the order of the rows.
    """
    n = len(unit)
    index, cosine = np.full((n, k), -1, np.int64), np.zeros((n, k))
    alive = np.flatnonzero(unit.any(axis=1))
    if len(alive) < 2:
        return index, cosine
    _, first, group = np.unique(unit[alive], axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    group = np.argsort(order)[group.reshape(-1)]
    near = _others(_members(_nearest_groups(unit[alive][first[order]], k + 1, seed), group), group)
    index[alive], cosine[alive] = _ranked(unit[alive], near)
    index[alive] = np.where(index[alive] >= 0, alive[index[alive]], -1)
    return index, cosine


def _nearest_groups(vectors: Vectors, k: int, seed: int) -> Ints:
    """Return the k nearest of each of some different vectors, itself first, (n, k); -1 where there are fewer."""
    if len(vectors) <= max(SMALL, k):
        return _compared(vectors, k)
    index = voyager.Index(
        voyager.Space.InnerProduct, vectors.shape[1], LINKS, BREADTH, random_seed=seed, max_elements=len(vectors)
    )
    index.add_items(vectors, num_threads=1)  # more would put them in by chance
    try:
        found = index.query(vectors, k, query_ef=max(SEARCH, k))[0].astype(np.int64)
    except voyager.RecallError:  # a part of the graph has fewer vectors than are asked for
        return _compared(vectors, k)
    return _itself_first(found)


def _compared(vectors: Vectors, k: int) -> Ints:
    found = np.full((len(vectors), k), -1, np.int64)
    for start in range(0, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        cosines = (vectors[rows] @ vectors.T).astype(np.float64)
        cosines[np.arange(len(rows)), rows] = 2.0
        found[rows] = best(cosines, k, above=-np.inf)[0]
    return found


def _itself_first(found: Ints) -> Ints:
    """Move each row's own number to the front; where the search has missed it, the last makes room."""
    own = np.arange(len(found))[:, None]
    others = np.argsort(found == own, axis=1, kind="stable")[:, : found.shape[1] - 1]
    return np.hstack([own, np.take_along_axis(found, others, axis=1)])


def _members(near: Ints, group: Ints) -> Ints:
    """Put listeners for groups: for each group the first members of the groups near to it, as many as groups were found."""
    n, k = near.shape
    size = np.bincount(group, minlength=n)
    member, start = np.argsort(group, kind="stable"), np.cumsum(size) - size
    count = np.where(near >= 0, np.minimum(size[near], k), 0)
    place = np.cumsum(count, axis=1) - count
    count = np.clip(k - place, 0, count).reshape(-1)
    cell = np.repeat(np.arange(n * k), count)
    within = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
    found = np.full((n, k), -1, np.int64)
    found[cell // k, place.reshape(-1)[cell] + within] = member[start[near.reshape(-1)[cell]] + within]
    return found


def _others(members: Ints, group: Ints) -> Ints:
    """Return for each listener what its group has found, without itself, one fewer."""
    found = members[group]
    own = np.arange(len(group))[:, None]
    others = np.argsort(found == own, axis=1, kind="stable")[:, : found.shape[1] - 1]
    return np.take_along_axis(found, others, axis=1)


def _ranked(unit: Vectors, near: Ints) -> tuple[Ints, Floats]:
    """Order neighbours by cosine, ties by the lower number; who is not alike at all is none."""
    cosine = np.einsum("nd,nkd->nk", unit, unit[near], dtype=np.float64)
    cosine = np.where((near >= 0) & (cosine > 0), np.minimum(cosine, 1.0), 0.0)
    order = np.lexsort((near, -cosine))
    cosine = np.take_along_axis(cosine, order, axis=1)
    return np.where(cosine > 0, np.take_along_axis(near, order, axis=1), -1), cosine


def _singular(heard: Engagement, seed: int) -> Floats:
    rank = min(RANK, *(size - 1 for size in heard.matrix.shape))
    if rank < 1:
        return np.ones((len(heard.items), 1))
    return np.asarray(TruncatedSVD(rank, random_state=seed).fit(heard.matrix).components_.T, np.float64)


def _unit(vectors: Floats) -> Vectors:
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, norm, out=np.zeros_like(vectors), where=norm > 0).astype(np.float32))
