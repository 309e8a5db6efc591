"""Diversity: maximal marginal relevance (Carbonell & Goldstein 1998), over artist, genre and sound."""

from __future__ import annotations

import numpy as np

from batch.neighbours import Ints, Mask
from batch.recommending.pool import Pool
from contract.rows import Floats

RELEVANCE = 0.8
"""The share of relevance against novelty; what it costs and brings is measured in ``docs/recommendations.md``."""


def diverse(pool: Pool, candidates: Ints, scores: Floats, count: int) -> Ints:
    """Return places in ``candidates``, (b, count), in the order of picking; -1 where candidates have run out.

    Each pick has the largest ``RELEVANCE`` x relevance - (1 - ``RELEVANCE``) x the greatest likeness to a pick before it.
    ``candidates`` and ``scores`` are (b, c), best first, -1 where there are fewer. Ties go to the better score.
    """
    left = candidates >= 0
    picks = np.full((len(candidates), count), -1, np.int64)
    relevance, likeness = relevances(scores, left), np.zeros(candidates.shape)
    everyone = np.arange(len(candidates))
    for place in range(min(count, candidates.shape[1])):
        value = np.where(left, RELEVANCE * relevance - (1 - RELEVANCE) * likeness, -np.inf)
        pick = value.argmax(axis=1)
        picks[:, place] = np.where(left[everyone, pick], pick, -1)
        left[everyone, pick] = False
        likeness = np.maximum(likeness, alike(pool, candidates, candidates[everyone, pick][:, None]))
    return picks


def relevances(scores: Floats, there: Mask) -> Floats:
    """Return each row's scores from 0 for the least to 1 for the best of those that are there; 1 where all are equal."""
    least = np.where(there, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    most = np.where(there, scores, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    span = np.where(there.any(axis=1, keepdims=True), most - least, 0.0)
    return np.asarray(np.divide(scores - least, span, out=np.ones_like(scores), where=there & (span > 0)))


def alike(pool: Pool, items: Ints, other: Ints) -> Floats:
    """Return how alike two items are, from 0 to 1: a third each for the same artist, the same genre, and the cosine of sounds."""
    artist, genre = pool.artist[items], pool.genre[items]
    same_artist = (artist == pool.artist[other]) & (artist >= 0)
    same_genre = (genre == pool.genre[other]) & (genre >= 0)
    sound = np.einsum("...d,...d->...", pool.sound[items], pool.sound[other])
    return np.asarray((same_artist + same_genre.astype(np.float64) + np.maximum(sound, 0.0)) / 3)
