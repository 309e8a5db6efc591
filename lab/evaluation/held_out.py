"""The weights of the hybrid, judged as a service could judge them: by listening that came later, without the truth.

Of the songs that a listener meets for the first time in the week after a midnight, were those that they played scored above those
that they skipped? What was met was not chosen by any recommender, so this does not favour what is shown to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from batch.neighbours import Mask
from batch.recommending.block import blocks
from batch.recommending.crowd import Crowd
from batch.recommending.hybrid import Weights, content, hybrid
from contract.rows import Floats
from contract.versions import ItemVectors
from lab.evaluation.heard import CONSTANTS, heard_before
from lab.evaluation.truth import songs
from lab.world import World

WEEK = 7
GRID = tuple(
    Weights(content=content, quality=quality, discount=discount)
    for discount, content, quality in product((0.0, 0.5, 0.75, 1.0), (0.0, 0.5, 1.0, 2.0), (0.0, 0.1, 0.2))
)


def held_out(seed: int, users: int, grid: Sequence[Weights] = GRID) -> dict[Weights, float]:
    """Return for each choice of weights how likely a song that was played scores above one that was skipped (AUC).

    Both are songs that the listener met first in the week after the midnight; the mean is over listeners who have both. Equal
    scores count half.
    """
    world = World(seed, users, history_days=28)
    heard, later = heard_before(world, 0), heard_before(world, WEEK)
    crowd = Crowd.of(heard, songs(world), ItemVectors.none(), {}, CONSTANTS, seed)
    after = dict(zip(later.users, crowd.pool.engaged(later).toarray(), strict=True))
    found: dict[Weights, list[float]] = {weights: [] for weights in grid}
    for block in blocks(crowd, world.midnight(0), seed):
        nothing = np.zeros(len(crowd.pool))
        then = np.array([after.get(user, nothing) for user in block.users])
        met, played = (block.own == 0) & (then > 0), then > crowd.skipped
        sound = content(crowd, block.liked)
        for weights in grid:
            found[weights] += _above(hybrid(crowd, block.similar, sound, block.open_to, weights), met & played, met & ~played)
    return {weights: float(np.mean(values)) for weights, values in found.items()}


def _above(scores: Floats, played: Mask, skipped: Mask) -> list[float]:
    both = np.flatnonzero(played.any(axis=1) & skipped.any(axis=1))
    return [_auc(scores[i, played[i]], scores[i, skipped[i]]) for i in both]


def _auc(good: Floats, bad: Floats) -> float:
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)
