"""The listeners most alike, and what they enjoy that somebody has not heard yet: exact, by cosine of engagement rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from contract.rows import Floats

NEIGHBOURS = 3
RECOMMENDATIONS = 20
_BLOCK = 512
"""Listeners compared at a time: bounds the dense similarities to ``_BLOCK`` x n."""

Ints = NDArray[np.int64]


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
        best = np.argsort(-similar, axis=1, kind="stable")[:, :k]
        value = np.take_along_axis(similar, best, axis=1)
        index[rows, : best.shape[1]] = np.where(value > 0, best, -1)
        score[rows, : best.shape[1]] = np.maximum(value, 0)
    return index, score


def recommend(
    matrix: csr_array, near: Ints, similarity: Floats, heard_above: float, top: int = RECOMMENDATIONS
) -> tuple[Ints, Floats]:
    """Return the best ``top`` columns of each row and their scores, both (n, top); -1 and 0 where there are fewer.

    A score is the similarity-weighted mean of the neighbours' engagement. Only columns that the row has at most
    ``heard_above`` of are recommended; ties go to the lower column.
    """
    n = matrix.shape[0]
    k = near.shape[1]
    total = similarity.sum(axis=1, keepdims=True)
    share = np.divide(similarity, total, out=np.zeros_like(similarity), where=total > 0)
    there = near >= 0
    weights = csr_array((share[there], (np.repeat(np.arange(n), k).reshape(n, k)[there], near[there])), (n, n))
    index, score = np.full((n, top), -1, np.int64), np.zeros((n, top))
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        scores = (weights[rows] @ matrix).toarray()
        scores[matrix[rows].toarray() > heard_above] = 0.0
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        value = np.take_along_axis(scores, best, axis=1)
        index[rows, : best.shape[1]] = np.where(value > 0, best, -1)
        score[rows, : best.shape[1]] = value
    return index, score
