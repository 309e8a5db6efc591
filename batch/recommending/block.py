"""Some listeners at a time: their own engagement, and each score of each item for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from batch.neighbours import Ints, Mask, best
from batch.recommending.chance import chances
from batch.recommending.crowd import Crowd
from batch.recommending.hybrid import collaborative, content, hybrid
from contract.rows import Floats

T = TypeVar("T", bound=np.generic)

CELLS = 1 << 20
"""Listeners times items of a block: some 8 MB for each table of scores."""
CANDIDATES = 60
"""The best items by score that shelves choose from."""

ANCHORS = 16
"""Items that stand for what a listener likes, where a reason names one that an item sounds like."""
EQUALS = 0.3
"""Times chance: it orders equal engagements, which are 0.4 apart, and no others."""


@dataclass(frozen=True)
class Block:
    """b listeners of a crowd, the ``rows``, at one midnight; tables are (b, m)."""

    crowd: Crowd
    rows: slice
    night_ms: int
    seed: int

    @property
    def users(self) -> tuple[str, ...]:
        """The listeners' names."""
        return self.crowd.heard.users[self.rows]

    @cached_property
    def own(self) -> Floats:
        """The listeners' engagement, 0 where they have not heard it."""
        return np.asarray(self.crowd.engaged[self.rows].toarray())

    @cached_property
    def liked(self) -> Floats:
        """Their engagement with what they did not only skip."""
        return np.where(self.own > self.crowd.skipped, self.own, 0.0)

    @cached_property
    def open_to(self) -> Mask:
        """What may be recommended: all that they have not heard or only skipped."""
        return np.asarray(self.own <= self.crowd.skipped)

    @cached_property
    def chance(self) -> Floats:
        """Each listener's chance for each item on this night."""
        return chances(self.seed, self.night_ms, self.users, len(self.crowd.pool))

    @cached_property
    def similar(self) -> Floats:
        """What similar listeners enjoy, without discount."""
        return collaborative(self.crowd, self.rows)

    @cached_property
    def scores(self) -> Floats:
        """The hybrid score; -inf where the item is not open to the listener."""
        found = hybrid(self.crowd, self.similar, content(self.crowd, self.liked), self.open_to)
        return np.where(self.open_to, found, -np.inf)

    @cached_property
    def candidates(self) -> tuple[Ints, Floats]:
        """The best items and their scores, both (b, ``CANDIDATES``), -1 where there are fewer."""
        return best(self.scores, CANDIDATES, above=-np.inf)

    @cached_property
    def neighbours(self) -> tuple[Floats, Floats]:
        """How many neighbours have heard each item, and their weighted mean engagement with it; 0 without any."""
        crowd = self.crowd
        weight = (crowd.weighted[self.rows] @ crowd.touched).toarray()
        count = (crowd.counted[self.rows] @ crowd.touched).toarray()
        return count, np.divide(self.similar, weight, out=np.zeros_like(weight), where=weight > 0)

    @cached_property
    def anchors(self) -> Ints:
        """The items with a sound that the listener likes best, equals by chance, (b, ``ANCHORS``); -1 where there are fewer."""
        audible = (self.liked > 0) & self.crowd.pool.sound.any(axis=1)
        return best(np.where(audible, self.liked + EQUALS * self.chance, 0.0), ANCHORS)[0]

    @cached_property
    def by_genre(self) -> Floats:
        """The mean engagement with each genre, (b, genres); 0 without an item."""
        return self._means(self.crowd.pool.genre, len(self.crowd.pool.genres))

    @cached_property
    def by_artist(self) -> Floats:
        """The mean engagement with each artist or show, (b, artists); 0 without an item."""
        return self._means(self.crowd.pool.artist, len(self.crowd.pool.artists))

    def _means(self, codes: Ints, width: int) -> Floats:
        known = np.flatnonzero(codes >= 0)
        groups = csr_array((np.ones(len(known)), (known, codes[known])), (len(codes), width))
        total = (self.crowd.engaged[self.rows] @ groups).toarray()
        count = (self.crowd.touched[self.rows] @ groups).toarray()
        return np.asarray(np.divide(total, count, out=np.zeros_like(total), where=count > 0))


def blocks(crowd: Crowd, night_ms: int, seed: int) -> Iterator[Block]:
    """Yield all listeners, some at a time, in their order."""
    n, size = len(crowd.heard.users), max(1, CELLS // max(len(crowd.pool), 1))
    for start in range(0, n, size):
        yield Block(crowd, slice(start, min(start + size, n)), night_ms, seed)


def taken(values: NDArray[T], columns: Ints) -> NDArray[T]:
    """Return the values of some columns of each row; -1 gives that of the last, to be masked."""
    return np.asarray(np.take_along_axis(values, columns, axis=1))
