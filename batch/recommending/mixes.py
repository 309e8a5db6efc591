"""Daily mixes: the clusters of a listener's own listening, each with what they love of it and what is new in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from batch.neighbours import Ints, Mask, best
from batch.recommending.block import EQUALS, Block, taken
from batch.recommending.pool import unit
from batch.recommending.reasons import SOUNDS_LIKE, personal_reasons
from batch.recommending.shelf import Clause, Shelf
from contract.recommendation import DAILY_MIXES, KNOWN
from contract.rows import Floats

KNOWN_ITEMS, NEW_ITEMS = 10, 10
LEAST = 3
"""Liked items of a genre that make a mix."""


def daily_mixes(block: Block) -> Iterator[Shelf]:
    """Yield a shelf for each mix, known and new items by turns; scores are the own engagement of the one, hybrid of the other."""
    mix = clusters(block)
    for number, name in enumerate(DAILY_MIXES):
        inside = mix == number
        loved = np.where(inside & (block.liked > 0), block.liked + EQUALS * block.chance, 0.0)  # each day other ones of equals
        known = best(loved, KNOWN_ITEMS)[0]
        new, score = best(np.where(inside, block.scores, -np.inf), NEW_ITEMS, above=-np.inf)
        liking = np.where(known >= 0, taken(block.liked, known), 0.0)
        items = _by_turns(known, new)
        of_old = np.broadcast_to(np.arange(items.shape[1]) % 2 == 0, items.shape)
        shelf = Shelf(name, items, _by_turns(liking, score), (Clause(KNOWN, of_old, value=_by_turns(liking, score)),))
        yield shelf.with_reasons(personal_reasons(block, items))


def clusters(block: Block) -> Ints:
    """Return the mix of each item, (b, m), -1 for none.

    A mix is led by one of the three genres that the listener engages with most, in ``LEAST`` liked items or more. Items of the
    genre belong to it; items of other genres to the mix whose liked items they sound most like, if they sound like any.
    """
    pool = block.crowd.pool
    genres = np.zeros((len(pool), len(pool.genres)))
    genres[np.flatnonzero(pool.genre >= 0), pool.genre[pool.genre >= 0]] = 1.0
    liking, count = block.liked @ genres, (block.liked > 0) @ genres
    leading = best(np.where(count >= LEAST, liking, 0.0), len(DAILY_MIXES))[0]
    own = [(pool.genre == leading[:, [i]]) & (leading[:, [i]] >= 0) for i in range(len(DAILY_MIXES))]
    near = [np.where(members.any(axis=1)[:, None], _closeness(block, members), -1.0) for members in own]
    closest = np.where(np.max(near, axis=0) >= SOUNDS_LIKE, np.argmax(near, axis=0), -1)
    return np.select(own, list(range(len(own))), closest)


def _closeness(block: Block, members: Mask) -> Floats:
    sound = block.crowd.pool.sound
    return np.asarray(unit(np.where(members, block.liked, 0.0) @ sound) @ sound.T)


def _by_turns(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.stack([one, other], axis=2).reshape(len(one), -1)
