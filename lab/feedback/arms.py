"""The arms of the experiment: how a shelf of songs is made, and from which listening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from batch.neighbours import Ints, best
from batch.recommending.block import CANDIDATES, Block, blocks, taken
from batch.recommending.crowd import Crowd
from batch.recommending.diversity import diverse
from batch.recommending.for_you import SHOWN, for_you
from batch.recommending.hybrid import Weights, content, hybrid


@dataclass(frozen=True)
class Arm:
    """``serve`` gives the songs for the b listeners of a block, best first, (b, SHOWN).

    An ``organic`` arm learns from what listeners chose by themselves alone, as if the shelf had not been listened to.
    """

    serve: Callable[[Block], Ints]
    organic: bool = False


def popularity(block: Block) -> Ints:
    """Return what everybody engages with most, of what is open to each listener; ties go to the lower song."""
    return best(np.where(block.open_to, block.crowd.engagement, -np.inf), SHOWN, above=-np.inf)[0]


def unexplored(block: Block) -> Ints:
    """Return the shelf *for-you* by score alone, made diverse: no slot explores."""
    return for_you(block, np.zeros(len(block.own), bool), explored=0).items


def served(block: Block) -> Ints:
    """Return *for-you* as it is served: two of the twenty slots explore."""
    return for_you(block, np.zeros(len(block.own), bool)).items


def explore(block: Block) -> Ints:
    """Return *for-you* as those get it who wish to explore: six of the twenty slots do."""
    return for_you(block, np.ones(len(block.own), bool)).items


def undiscounted(block: Block) -> Ints:
    """Return *for-you* without exploration and without the popularity discount: hits may win because they are hits."""
    sound = content(block.crowd, block.liked)
    scores = hybrid(block.crowd, block.similar, sound, block.open_to, Weights(discount=0.0))
    items, found = best(np.where(block.open_to, scores, -np.inf), CANDIDATES, above=-np.inf)
    return taken(items, diverse(block.crowd.pool, items, found, SHOWN))


ARMS = {
    "no exploration": Arm(unexplored),
    "as served": Arm(served),
    "explore mode": Arm(explore),
    "organic": Arm(served, organic=True),
    "no discount": Arm(undiscounted),
    "popularity": Arm(popularity),
}


def shelf(crowd: Crowd, arm: Arm, night_ms: int, seed: int) -> Ints:
    """Return everybody's shelf, (n, SHOWN); who has no taste yet gets what is popular, in each arm."""
    return np.concatenate([_shelf(block, arm) for block in blocks(crowd, night_ms, seed)])


def _shelf(block: Block, arm: Arm) -> Ints:
    taste = np.asarray(block.liked.any(axis=1))
    return np.where(taste[:, None], arm.serve(block), popularity(block))
