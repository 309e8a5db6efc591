"""The listeners most alike, and what they enjoy that somebody has not heard yet: exact, by cosine of engagement rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from contract.rows import Floats

NEIGHBOURS = 3
"""How many are published beside a profile, and recommend in the classroom."""
_BLOCK = 512
"""Listeners compared at a time: bounds the dense similarities to ``_BLOCK`` x n."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def neighbours(matrix: csr_array, k: int = NEIGHBOURS) -> tuple[Ints, Floats]:
    """Return the k most similar rows of each row and their cosines, both (n, k); -1 and 0 where there are fewer.

    A row is not its own neighbour; nobody is a neighbour by a cosine of 0; ties go to the lower index.
    """
    n = matrix.shape[0]
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).reshape(-1))
    unit = csr_array(matrix.multiply(np.divide(1.0, norms, out=np.zeros(n), where=norms > 0)[:, None]))
    index, score = np.full((n, k), -1, np.int64), np.zeros((n, k))
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        similar = (unit[rows] @ unit.T).toarray()
        similar[np.arange(len(rows)), rows] = 0.0
        index[rows], score[rows] = best(similar, k)
    return index, score


def weights(near: Ints, similarity: Floats) -> csr_array:
    """Return each listener's neighbours weighted by similarity, (n, n); a row sums to 1, or is empty without neighbours."""
    n, k = near.shape
    total = similarity.sum(axis=1, keepdims=True)
    share = np.divide(similarity, total, out=np.zeros_like(similarity), where=total > 0)
    there = near >= 0
    return csr_array((share[there], (np.repeat(np.arange(n), k).reshape(n, k)[there], near[there])), (n, n))


def recommend(matrix: csr_array, near: Ints, similarity: Floats, heard_above: float, top: int) -> tuple[Ints, Floats]:
    """Return the best ``top`` columns of each row and their scores, both (n, top); -1 and 0 where there are fewer.

    A score is the similarity-weighted mean of the neighbours' engagement. Only columns that the row has at most
    ``heard_above`` of are recommended; ties go to the lower column.
    """
    n, weighted = matrix.shape[0], weights(near, similarity)
    index, score = np.full((n, top), -1, np.int64), np.zeros((n, top))
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        scores = (weighted[rows] @ matrix).toarray()
        scores[matrix[rows].toarray() > heard_above] = 0.0
        index[rows], score[rows] = best(scores, top)
    return index, score


def best(values: Floats, k: int, above: float = 0.0) -> tuple[Ints, Floats]:
    """Return the columns of the k largest values of each row, and these, both (n, k); -1 and 0 where fewer are ``above``.

    Ties go to the lower column.
    """
    n, m = values.shape
    index, found = np.full((n, k), -1, np.int64), np.zeros((n, k))
    if min(n, m, k) == 0:
        return index, found
    least = np.partition(values, max(m - k, 0), axis=1)[:, max(m - k, 0), None]
    row, column = np.nonzero((values >= least) & (values > above))
    order = np.lexsort((column, -values[row, column], row))
    row, column = row[order], column[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    row, column, place = row[place < k], column[place < k], place[place < k]
    index[row, place], found[row, place] = column, values[row, column]
    return index, found
