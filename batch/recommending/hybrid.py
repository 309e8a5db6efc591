"""The score of an item for a listener: what similar listeners enjoy, what sounds like what they like, and how good it is.

Each of the three is standardised over the items that are open to the listener, so that a weight means the same for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batch.neighbours import Mask
from batch.recommending.crowd import Crowd
from batch.recommending.pool import unit
from contract.rows import Floats

EVIDENCE = 0.3
"""Of the mean engagement with an item so much is added to each before the discount: one lonely listener makes no discovery,
however many listeners there are."""
PRIOR = 20.0
"""Listeners of mean engagement added to each item before its quality is judged."""


@dataclass(frozen=True)
class Weights:
    """What the parts of a score count.

    ``discount`` is that of popularity: 0 leaves what neighbours enjoy as it is, 1 asks how much more they enjoy it than
    everybody does. Hits are heard by everybody, so without a discount all would get the same.
    """

    collaborative: float = 1.0
    content: float = 0.5
    quality: float = 0.1
    discount: float = 1.0


WEIGHTS = Weights()
"""Chosen on listening held out from worlds 101 to 104 (``lab.evaluation.held_out``), never on the truth: see
``docs/recommendations.md``. Quality costs a little there; it decides where nothing is known of neighbours or sound."""


def collaborative(crowd: Crowd, rows: slice) -> Floats:
    """Return the similarity-weighted mean of the neighbours' engagement, (b, m); 0 where none of them has heard the item."""
    return np.asarray((crowd.weighted[rows] @ crowd.engaged).toarray())


def discounted(crowd: Crowd, scores: Floats, discount: float = WEIGHTS.discount) -> Floats:
    """Divide collaborative scores by everybody's engagement with the item, to the power of the discount."""
    usual = crowd.engagement.mean()
    return np.asarray(scores / (crowd.engagement + EVIDENCE * usual) ** discount) if usual else scores


def content(crowd: Crowd, liked: Floats) -> Floats:
    """Return the cosine of each item's sound with the centroid of what a listener likes, (b, m).

    ``liked`` (b, m) weighs the items of the centroid. NaN where the item or everything liked has no sound.
    """
    sound = crowd.pool.sound
    centre = unit(liked @ sound)
    known = np.logical_and.outer(centre.any(axis=1), sound.any(axis=1))
    return np.where(known, centre @ sound.T, np.nan)


def quality(crowd: Crowd) -> Floats:
    """Return each item's mean engagement, drawn towards that of all items where few have heard it, (m,).

    It is a mean and not a sum: so popularity counts as evidence only.
    """
    everybody = crowd.engagement.sum() / max(crowd.listeners.sum(), 1.0)
    return np.asarray((crowd.engagement + PRIOR * everybody) / (crowd.listeners + PRIOR))


def hybrid(crowd: Crowd, similar: Floats, sound: Floats, open_to: Mask, weights: Weights = WEIGHTS) -> Floats:
    """Return the weighted sum of the standardised scores, (b, m); ``open_to`` (b, m) says over which items.

    ``similar`` are collaborative scores without discount, ``sound`` content scores. What has no sound stands at the mean.
    """
    return np.asarray(
        weights.collaborative * standardised(discounted(crowd, similar, weights.discount), open_to)
        + weights.content * standardised(sound, open_to)
        + weights.quality * standardised(np.broadcast_to(quality(crowd), similar.shape), open_to)
    )


def standardised(scores: Floats, open_to: Mask) -> Floats:
    """Return each row less its mean, in standard deviations, both over the open items that have a score; 0 without one."""
    counts = open_to & ~np.isnan(scores)
    n = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    centred = np.where(np.isnan(scores), 0.0, scores)
    centred = centred - np.where(counts, centred, 0.0).sum(axis=1, keepdims=True) / n
    spread = np.sqrt(np.where(counts, centred**2, 0.0).sum(axis=1, keepdims=True) / n)
    there = (spread > 1e-12) & ~np.isnan(scores)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=there))
