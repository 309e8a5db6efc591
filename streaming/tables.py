"""A listener's state in tables: what exact features need, and no more.

Single listens are kept for ``SINGLES_DAYS`` before the last watermark: hour windows and sessions look back 8 days, an answer may
be asked three days late. Older days are closed: no event may reach them any more (an event is at most 48 h late), so each is
kept as two kinds of *tile*, one per day and one per day, item and kind, for ``TILES_DAYS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SINGLES_DAYS = 11
TILES_DAYS = 31

LISTEN = np.dtype(
    [
        ("ts", "i8"),
        ("id", "u8"),  # a 64-bit hash: two events of one listener would have to share hash *and* millisecond to be mixed up
        ("ms", "i8"),
        ("duration", "i8"),
        ("item", "i4"),
        ("utc_offset", "i2"),
        ("kind", "u1"),
        ("device", "u1"),
        ("replay", "?"),  # that an earlier play of the item lies in the replay window; it outlives the earlier play
    ]
)
TILE = np.dtype(
    [("day", "i4"), ("item", "i4"), ("kind", "u1"), ("tenths", "u1"), ("listens", "i4"), ("ms", "i8"), ("duration", "i8")]
)
DAY = np.dtype(
    [
        ("day", "i4"),
        ("last_ts", "i8"),
        ("listens", "i4"),
        ("plays", "i4"),
        ("music", "i4"),
        ("skips", "i4"),
        ("replays", "i4"),
        ("night", "i4"),
        ("phone", "i4"),
        ("ms", "i8"),
        ("podcast_ms", "i8"),
        ("completed", "f8"),  # sum of min(1, played / duration) over ``timed`` music listens
        ("timed", "i4"),
        ("decayed", "f8"),  # sum of 2^(-(day's end - ts) / half-life) over plays
        ("calendar", "u1"),  # bit 1 + c: a play fell on the calendar day ``day + c``, c in -1..1
    ]
)
Table = NDArray[Any]
"""A structured array of one of the three types above."""


class Listener(NamedTuple):
    """The state of one listener: listens sorted by ts, tiles and days of the closed part."""

    listens: Table
    tiles: Table
    days: Table


NEW = Listener(np.empty(0, LISTEN), np.empty(0, TILE), np.empty(0, DAY))


def concat(tables: Sequence[Table], dtype: np.dtype[Any]) -> tuple[Table, NDArray[np.int64]]:
    """Put tables one behind the other, and say for each entry which table it is from."""
    rows = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    return (np.concatenate(tables) if tables else np.empty(0, dtype)), rows


def split(table: Table, row: NDArray[np.int64], n: int) -> list[Table]:
    """Cut a table that is sorted by row into n tables of their own memory."""
    edges = np.searchsorted(row, np.arange(n + 1))
    return [table[edges[i] : edges[i + 1]].copy() for i in range(n)]


def changes(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell where an entry of sorted columns differs from the one before; the first always does."""
    changed = np.ones(len(columns[0]), bool)
    if len(changed):
        changed[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return changed
