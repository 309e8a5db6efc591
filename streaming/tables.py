"""A listener's state in tables: what exact features need, and no more.

Single listens are kept for ``SINGLES_DAYS`` before the last watermark: hour windows and sessions look back 8 days, an answer may
be asked three days late. Older days are closed: no event may reach them any more (an event is at most 48 h late), so each is
kept as two kinds of *tile*, one per day and one per day, item and kind, for ``TILES_DAYS``.

The tables are columns with room for the largest listener of a step: the compiled functions fill them for one listener after the
other. All columns of listens and of tiles are whole numbers, so that a function may go through them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from contract.event import Ints
from contract.rows import Floats
from streaming.compiled import compiled

SINGLES_DAYS = 11
TILES_DAYS = 31


class Listens(NamedTuple):
    """Single listens, by ``ts`` and ``id``; a ``duration`` of 0 is unknown."""

    ts: Ints
    id: Ints
    """A 64-bit hash, 0 where nothing can repeat it any more: two events of a listener would have to share hash and ``ts``."""
    ms: Ints
    duration: Ints
    item: Ints
    utc_offset: Ints
    kind: Ints
    device: Ints
    replay: Ints
    """That an earlier play of the item lies in the replay window; it outlives the earlier play."""


class Tiles(NamedTuple):
    """Closed days by ``day``, item and kind; ``listens``, ``ms`` and ``duration`` (the largest) are of podcasts only."""

    day: Ints
    item: Ints
    kind: Ints
    tenths: Ints
    listens: Ints
    ms: Ints
    duration: Ints


LISTENS, MUSIC_LISTENS, MUSIC_SKIPS, REPLAYS, AT_NIGHT, ON_PHONE, MS, PODCAST_MS, TIMED = range(SUMS := 9)
"""The places in ``Days.sums``."""
COMPLETED, DECAYED = range(SHARES := 2)
"""The places in ``Days.shares``: the sum of min(1, played / duration) over ``TIMED`` listens of music, and that of
2^(-(day's end - ts) / half-life) over plays."""


class Days(NamedTuple):
    """k closed days."""

    day: Ints
    last_ts: Ints
    calendar: Ints
    """Bit 1 + c: a play fell on the calendar day ``day + c``, c in -1..1."""
    sums: Ints
    """Shape (k, 9)."""
    shares: Floats
    """Shape (k, 2)."""


class Tables(NamedTuple):
    """One listener's state, or room for it."""

    listens: Listens
    tiles: Tiles
    days: Days


def room(listens: int, tiles: int, days: int) -> Tables:
    """Make tables for so many entries."""

    def integers(columns: int, n: int) -> list[Ints]:
        return [np.empty(n, np.int64) for _ in range(columns)]

    return Tables(
        Listens(*integers(len(Listens._fields), listens)),
        Tiles(*integers(len(Tiles._fields), tiles)),
        Days._make([*integers(3, days), np.empty((days, SUMS), np.int64), np.empty((days, SHARES))]),
    )


@compiled
def make_place(column: Ints | Floats, at: int, n: int) -> None:
    """Move the entries ``[at, n)`` of a column one place on, and make the one that gets free 0."""
    for i in range(n, at, -1):
        column[i] = column[i - 1]
    column[at] = 0
