"""Where the compiled functions lay things out while they compute one listener after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from contract.event import Ints
from contract.rows import Floats

NOT_HEARD = -1


class Desk(NamedTuple):
    """Room for one listener's intermediate results.

    Between two listeners the columns by item and show are all 0, but for ``tenths``, which is ``NOT_HEARD``.
    """

    active: Ints
    """By calendar day, from tomorrow back: 1 for a day with a play."""
    begin: Ints
    end: Ints
    heard: Ints
    tenths: Ints
    listens: Ints
    ms: Ints
    duration: Ints
    genre_total: Ints
    genre_count: Ints
    shows: Ints
    show_listens: Ints
    show_timed: Ints
    show_completed: Floats


def desk(entries: int, days: int, items: int, genres: int, shows: int) -> Desk:
    """Make room for a listener with so many entries in tables of so many items, genres and shows."""

    def zeros(n: int) -> Ints:
        return np.zeros(n, np.int64)

    return Desk(
        active=zeros(days + 3),
        begin=zeros(entries),
        end=zeros(entries),
        heard=zeros(entries),
        tenths=np.full(items, NOT_HEARD, np.int64),
        listens=zeros(items),
        ms=zeros(items),
        duration=zeros(items),
        genre_total=zeros(genres),
        genre_count=zeros(genres),
        shows=zeros(shows),
        show_listens=zeros(shows),
        show_timed=zeros(shows),
        show_completed=np.zeros(shows, np.float64),
    )
