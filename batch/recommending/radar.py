"""Release radar: what came out in the 28 days before the midnight, by artists that the listener likes, then of such genres."""

from __future__ import annotations

import numpy as np

from batch.neighbours import best
from batch.recommending.block import Block
from batch.recommending.reasons import LIKED
from batch.recommending.shelf import Clause, Shelf
from contract.recommendation import ARTIST, GENRE, RELEASE_RADAR, RELEASED
from contract.rows import Floats
from contract.windows import DAY_MS

SHOWN = 20
FRESH_DAYS = 28
GENRE_SHARE = 1e-3
"""The genre's part in a score: too little to overrule the artist."""


def release_radar(block: Block) -> Shelf | None:
    """Return the shelf, or None where nothing has come out; an item needs an artist or a genre that the listener likes."""
    pool = block.crowd.pool
    age = (block.night_ms - pool.release_ms) / DAY_MS
    fresh = np.flatnonzero((age > 0) & (age <= FRESH_DAYS))
    if not len(fresh):
        return None
    artist, genre = _of(block.by_artist, pool.artist[fresh]), _of(block.by_genre, pool.genre[fresh])
    wanted = block.open_to[:, fresh] & ((artist >= LIKED) | (genre >= LIKED))
    places, scores = best(np.where(wanted, artist + GENRE_SHARE * genre, 0.0), SHOWN)
    items = np.where(places >= 0, fresh[places], -1)
    clauses = (
        Clause(RELEASED, items >= 0, value=np.floor(age[items])),
        _liked(ARTIST, pool.artists, pool.artist[items], np.take_along_axis(artist, places, axis=1)),
        _liked(GENRE, pool.genres, pool.genre[items], np.take_along_axis(genre, places, axis=1)),
    )
    return Shelf(RELEASE_RADAR, items, scores, clauses)


def _of(means: Floats, codes: np.ndarray) -> Floats:
    return np.where(codes >= 0, np.hstack([means, np.zeros((len(means), 1))])[:, codes], 0.0)


def _liked(kind: str, names: tuple[str, ...], codes: np.ndarray, value: Floats) -> Clause:
    return Clause(kind, value >= LIKED, np.array([*names, ""], object)[codes], value)
