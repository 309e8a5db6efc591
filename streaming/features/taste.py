"""Genres and the listener's vector, from the engagement of (listener, item) pairs."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from contract.rows import FeatureColumns, Floats
from streaming.facts import UNKNOWN
from streaming.window import Window


def compute(window: Window) -> FeatureColumns:
    """Return the columns of this subject."""
    affinity, heard = _genres(window)
    ranked = np.where(heard, affinity, -1.0)
    some = heard.any(axis=1)
    best = ranked.argmax(axis=1) if ranked.shape[1] else np.zeros(window.n, np.int64)  # the first of equals: by code point
    names = np.array([*window.facts.genres, None], object)
    return {
        "top_genre": names[np.where(some, best, len(window.facts.genres))],
        "top_genre_affinity": np.where(some, ranked.max(axis=1, initial=-1.0), np.nan),
        "genre_affinity": affinity,
        "user_vector": _vectors(window),
    }


def _genres(window: Window) -> tuple[Floats, np.ndarray]:
    """Return the mean engagement per listener and genre, shape (n, genres), and where there is a pair at all."""
    pairs, width = window.pairs, len(window.facts.genres)
    genre = window.facts.genre[pairs.item]
    known = genre != UNKNOWN
    cell = pairs.row[known] * width + genre[known]
    count = np.bincount(cell, minlength=window.n * width)
    total = np.bincount(cell, pairs.tenths[known], window.n * width)
    mean = np.divide(total, 10 * count, out=np.zeros(window.n * width), where=count > 0)
    return mean.reshape(window.n, width), (count > 0).reshape(window.n, width)


def _vectors(window: Window) -> Floats:
    """Return the L2-normalised sum of engagement x item vector, shape (n, rank); a row of NaN for null."""
    pairs, vectors = window.pairs, window.facts.vectors
    place = window.facts.vector[pairs.item]
    known = place != UNKNOWN
    weights = csr_array((pairs.tenths[known] / 10, (pairs.row[known], place[known])), (window.n, len(vectors)))
    total = weights @ vectors if vectors.size else np.full((window.n, 1), 0.0)
    norm = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(np.divide(total, norm, out=np.full(total.shape, np.nan), where=norm > 0))
