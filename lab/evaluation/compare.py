"""The methods side by side: NDCG@10 of songs that a listener has not heard or only skipped, against the truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from batch.metrics.ranking import ndcg
from batch.neighbours import Ints, best
from batch.recommending.block import Block, blocks
from batch.recommending.crowd import Crowd
from batch.recommending.for_you import for_you
from batch.recommending.hybrid import content, discounted
from contract.features import TOP
from contract.rows import Floats
from contract.versions import ItemVectors
from lab.evaluation.heard import CONSTANTS, heard_before
from lab.evaluation.truth import songs, truth
from lab.world import World

POPULARITY, COLLABORATIVE, CONTENT = "popularity", "collaborative", "content"
DISCOUNTED = "collaborative, popularity discounted"
HYBRID, SERVED = "hybrid, by score alone", "hybrid as served"
METHODS = (POPULARITY, COLLABORATIVE, DISCOUNTED, CONTENT, HYBRID, SERVED)


def compare(seed: int, users: int) -> dict[str, float]:
    """Return each method's mean NDCG@10 in a world of so many listeners, as of the midnight after 28 days of history.

    Gains are linear in the probability that the listener does not skip the song. ``popularity`` is the summed engagement of
    everybody; ``hybrid as served`` is the shelf *for-you*, with diversity and exploration.
    """
    world, crowd = _made(seed, users)
    likely = truth(world, crowd.heard)
    found: dict[str, list[Floats]] = {method: [] for method in METHODS}
    for block in blocks(crowd, world.midnight(0), seed):
        relevance = np.where(block.open_to, likely[block.rows], 0.0)
        for method, ranked in _rankings(block):
            found[method].append(ndcg(relevance, ranked))
    return {method: float(np.nanmean(np.concatenate(values))) for method, values in found.items()}


def variety(seed: int, users: int) -> dict[str, float]:
    """Return the mean number of different artists among each method's first ten songs, in the same world."""
    world, crowd = _made(seed, users)
    found: dict[str, list[int]] = {method: [] for method in METHODS}
    for block in blocks(crowd, world.midnight(0), seed):
        for method, ranked in _rankings(block):
            artists = np.sort(crowd.pool.artist[ranked], axis=1)
            found[method] += (1 + (np.diff(artists, axis=1) > 0).sum(axis=1)).tolist()
    return {method: float(np.mean(values)) for method, values in found.items()}


def _made(seed: int, users: int) -> tuple[World, Crowd]:
    world = World(seed, users, history_days=28)
    return world, Crowd.of(heard_before(world, 0), songs(world), ItemVectors.none(), {}, CONSTANTS, seed)


def _rankings(block: Block) -> Iterator[tuple[str, Ints]]:
    crowd = block.crowd
    sound = np.nan_to_num(content(crowd, block.liked), nan=-2.0)
    scores = {
        POPULARITY: np.broadcast_to(crowd.engagement, block.own.shape),
        COLLABORATIVE: block.similar,
        DISCOUNTED: discounted(crowd, block.similar),
        CONTENT: sound,
        HYBRID: block.scores,
    }
    for method, values in scores.items():
        yield method, best(np.where(block.open_to, values, -np.inf), TOP, above=-np.inf)[0]
    yield SERVED, for_you(block, np.zeros(len(block.own), bool)).items[:, :TOP]
