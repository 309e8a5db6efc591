"""Why an item is there for a listener: what the scores were made of, as clauses."""

from __future__ import annotations

import numpy as np

from batch.neighbours import Ints
from batch.recommending.block import Block, taken
from batch.recommending.shelf import Clause
from contract import recommendation as kinds
from contract.rows import Floats

LIKED = 0.5
"""The mean engagement from which on an artist or genre is called liked, and an item enjoyed by neighbours: that of a play."""
SEVERAL = 2
"""One neighbour is no reason: it would tell what a single person hears."""
SOUNDS_LIKE = 0.6


def personal_reasons(block: Block, items: Ints) -> list[Clause]:
    """Return the clauses for items of the pool, (b, s); where no other holds, that it is popular, or heard by nobody."""
    pool, crowd = block.crowd.pool, block.crowd
    clauses = [_neighbours(block, items), _sounds_like(block, items)]
    for kind, codes, names, means in (
        (kinds.ARTIST, pool.artist, pool.artists, block.by_artist),
        (kinds.GENRE, pool.genre, pool.genres, block.by_genre),
    ):
        clauses.append(_liked(kind, codes[items], np.array([*names, ""], object), np.hstack([means, np.zeros((len(means), 1))])))
    none = ~np.any([clause.there for clause in clauses], axis=0)
    share = crowd.listeners[items] / len(crowd.heard.users)
    popular = Clause(kinds.POPULAR, none & (share > 0), value=share)
    return [*clauses, popular, Clause(kinds.UNHEARD, none & (share == 0))]


def _neighbours(block: Block, items: Ints) -> Clause:
    count, mean = (taken(values, items) for values in block.neighbours)
    return Clause(kinds.NEIGHBOURS, (count >= SEVERAL) & (mean >= LIKED), value=mean)


def _sounds_like(block: Block, items: Ints) -> Clause:
    sound, anchors = block.crowd.pool.sound, block.anchors
    likeness = sound[items] @ sound[anchors].transpose(0, 2, 1)
    usable = (anchors >= 0)[:, None, :] & (anchors[:, None, :] != items[:, :, None])
    likeness = np.where(usable, likeness, -1.0)
    which = likeness.argmax(axis=2)
    names = np.array(block.crowd.pool.items, object)[taken(anchors, which)]
    value = likeness.max(axis=2)
    return Clause(kinds.SOUNDS_LIKE, value >= SOUNDS_LIKE, names, value)


def _liked(kind: str, codes: Ints, names: np.ndarray, means: Floats) -> Clause:
    value = taken(means, codes)  # code -1 finds the empty name and no engagement
    return Clause(kind, value >= LIKED, names[codes], value)
