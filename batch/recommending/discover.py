"""Discover weekly: never heard, and not all of what the listener likes anyway."""

from __future__ import annotations

import numpy as np

from batch.neighbours import Ints, Mask, best
from batch.recommending.block import Block, taken
from batch.recommending.reasons import personal_reasons
from batch.recommending.shelf import Shelf
from contract.recommendation import DISCOVER_WEEKLY

SHOWN = 20
OUTSIDE = 8
"""Of twenty items at least so many lie outside the top genre; a shorter shelf keeps the share."""


def discover_weekly(block: Block, shown_already: Ints) -> Shelf:
    """Return the best items that the listener has never heard and that another shelf, (b, s), does not show."""
    unheard = np.where(block.own == 0, block.scores, -np.inf)
    row, place = np.nonzero(shown_already >= 0)
    unheard[row, shown_already[row, place]] = -np.inf
    elsewhere = _outside(block)
    outside, better = best(np.where(elsewhere, unheard, -np.inf), SHOWN, above=-np.inf)
    inside, good = best(np.where(elsewhere, -np.inf, unheard), SHOWN - OUTSIDE, above=-np.inf)
    room = (outside >= 0).sum(axis=1, keepdims=True) * (SHOWN - OUTSIDE) // OUTSIDE
    inside = np.where(np.arange(inside.shape[1]) < room, inside, -1)
    both = np.hstack([inside, outside])
    scores = np.where(both >= 0, np.hstack([good, better]), -np.inf)
    places, score = best(scores, SHOWN, above=-np.inf)
    items = np.where(places >= 0, taken(both, places), -1)
    return Shelf(DISCOVER_WEEKLY, items, score).with_reasons(personal_reasons(block, items))


def _outside(block: Block) -> Mask:
    """Tell which items are of a known genre that is not the listener's top one, by mean engagement, the first of equals."""
    genre = block.crowd.pool.genre
    top = block.by_genre.argmax(axis=1) if block.by_genre.shape[1] else np.full(len(block.own), -1)
    return np.asarray((genre >= 0) & (genre != top[:, None]))
