"""A listener's state in tables: what exact features need, and no more.

Single listens are kept for ``SINGLES_DAYS`` before the last watermark: hour windows and sessions look back 8 days, an answer may
be asked three days late. Older days are closed: no event may reach them any more (an event is at most 48 h late), so each is
kept as two kinds of *tile*, one per day and one per day, item and kind, for ``TILES_DAYS``.

The tables are columns with room for the largest listener of a step: the compiled functions fill them for one listener after the
other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from contract.event import Codes, Ints
from contract.rows import Floats

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
    kind: Codes
    device: Codes
    replay: Codes
    """That an earlier play of the item lies in the replay window; it outlives the earlier play."""


class Tiles(NamedTuple):
    """Closed days by ``day``, item and kind; ``listens``, ``ms`` and ``duration`` (the largest) are of podcasts only."""

    day: Ints
    item: Ints
    kind: Codes
    tenths: Ints
    listens: Ints
    ms: Ints
    duration: Ints


class Days(NamedTuple):
    """Closed days."""

    day: Ints
    last_ts: Ints
    listens: Ints
    plays: Ints
    music: Ints
    skips: Ints
    replays: Ints
    night: Ints
    phone: Ints
    ms: Ints
    podcast_ms: Ints
    timed: Ints
    calendar: Ints
    """Bit 1 + c: a play fell on the calendar day ``day + c``, c in -1..1."""
    completed: Floats
    """The sum of min(1, played / duration) over ``timed`` music listens."""
    decayed: Floats
    """The sum of 2^(-(day's end - ts) / half-life) over plays."""


class Tables(NamedTuple):
    """One listener's state, or room for it."""

    listens: Listens
    tiles: Tiles
    days: Days


def room(listens: int, tiles: int, days: int) -> Tables:
    """Make tables for so many entries."""
    codes = {"kind", "device", "replay"}
    floats = {"completed", "decayed"}

    def columns(kind: type, n: int) -> list[np.ndarray]:
        types = [np.uint8 if name in codes else np.float64 if name in floats else np.int64 for name in kind._fields]  # type: ignore[attr-defined]
        return [np.empty(n, dtype) for dtype in types]

    return Tables(Listens(*columns(Listens, listens)), Tiles(*columns(Tiles, tiles)), Days(*columns(Days, days)))
