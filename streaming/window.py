"""What the features of some listeners are computed from, as of one instant: their listens, closed days, pairs and episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.event import PODCAST
from contract.features import FeatureConstants
from contract.rows import Floats
from contract.windows import DAY_MS, days_start
from streaming.facts import UNKNOWN, Facts
from streaming.listens import is_skip, tenths
from streaming.tables import DAY, LISTEN, TILE, Listener, Table, changes, concat

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """(listener, item) pairs with a listen in the window, and the highest engagement of each in tenths; aligned columns."""

    row: Ints
    item: Ints
    tenths: Ints


@dataclass(frozen=True)
class Episodes:
    """(listener, episode) pairs: ``ms`` and ``listens`` summed, ``duration`` the largest known or ``UNKNOWN``."""

    row: Ints
    item: Ints
    show: Ints
    ms: Ints
    listens: Ints
    duration: Ints


@dataclass(frozen=True)
class Window:
    """The 28-day window of n listeners at ``as_of_ms``.

    ``listens`` are its single listens, ``days`` and ``tiles`` the closed part; ``listen_row``, ``day_row`` and ``tile_row`` say
    whose each entry is (0 to n - 1, ascending).
    """

    users: NDArray[np.object_]
    as_of_ms: int
    constants: FeatureConstants
    facts: Facts
    listens: Table
    listen_row: Ints
    tiles: Table
    tile_row: Ints
    days: Table
    day_row: Ints

    @property
    def n(self) -> int:
        """How many listeners there are."""
        return len(self.users)

    @property
    def show_names(self) -> NDArray[np.object_]:
        """The names of the show codes."""
        return np.array(self.facts.shows, object)

    @cached_property
    def skip(self) -> NDArray[np.bool_]:
        """Which of ``listens`` are skips."""
        return is_skip(self.listens, self.constants)

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs of listener and item, sorted."""
        own = tenths(self.listens, self.skip, self.constants)
        row = np.concatenate([self.listen_row, self.tile_row])
        item = np.concatenate([self.listens["item"], self.tiles["item"]]).astype(np.int64)
        value = np.concatenate([own, self.tiles["tenths"]])
        order, starts = _groups(row, item)
        best = np.maximum.reduceat(value[order], starts) if len(starts) else value
        return Pairs(row[order][starts], item[order][starts], best)

    @cached_property
    def episodes(self) -> Episodes:
        """The pairs of listener and episode, sorted."""
        singles, closed = self.listens["kind"] == PODCAST, self.tiles["kind"] == PODCAST
        row = np.concatenate([self.listen_row[singles], self.tile_row[closed]])
        part = {
            name: np.concatenate([self.listens[name][singles], self.tiles[name][closed]]).astype(np.int64)
            for name in ("item", "ms", "duration")
        }
        listens = np.concatenate([np.ones(int(singles.sum()), np.int64), self.tiles["listens"][closed]])
        order, starts = _groups(row, part["item"])
        item = part["item"][order][starts]
        return Episodes(
            row=row[order][starts],
            item=item,
            show=self.facts.show[item],
            ms=_reduce(np.add, part["ms"][order], starts),
            listens=_reduce(np.add, listens[order], starts),
            duration=_reduce(np.maximum, part["duration"][order], starts),
        )

    def count(self, which: NDArray[Any]) -> Ints:
        """Count, per listener, the listens that a mask picks."""
        return np.bincount(self.listen_row[which], minlength=self.n)

    def total(self, listens: NDArray[Any], days: str) -> Floats:
        """Sum, per listener, a value over the single listens and the column ``days`` over the closed days."""
        closed = np.bincount(self.day_row, self.days[days], self.n)
        return np.asarray(np.bincount(self.listen_row, listens, self.n) + closed)


def open_window(
    users: Sequence[str], states: Sequence[Listener], as_of_ms: int, constants: FeatureConstants, facts: Facts
) -> Window:
    """Open the window of some listeners; those without a listen in it are left out."""
    start = days_start(as_of_ms, constants.month_window_d)
    listens, listen_row = concat([state.listens for state in states], LISTEN)
    inside = (listens["ts"] >= start) & (listens["ts"] < as_of_ms)
    listens, listen_row = listens[inside], listen_row[inside]
    tiles, tile_row = _closed([state.tiles for state in states], TILE, start)
    days, day_row = _closed([state.days for state in states], DAY, start)
    present = np.zeros(len(states), bool)
    present[listen_row] = present[day_row] = True
    place = np.cumsum(present) - 1
    names = np.empty(len(users), object)
    names[:] = users
    return Window(
        users=names[present],
        as_of_ms=as_of_ms,
        constants=constants,
        facts=facts,
        listens=listens,
        listen_row=place[listen_row],
        tiles=tiles,
        tile_row=place[tile_row],
        days=days,
        day_row=place[day_row],
    )


def _closed(tables: Sequence[Table], dtype: np.dtype[Any], start: int) -> tuple[Table, Ints]:
    table, row = concat(tables, dtype)
    inside = table["day"] >= start // DAY_MS
    return table[inside], row[inside]


def _groups(row: Ints, item: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((item, row))
    return order, np.flatnonzero(changes(row[order], item[order]))


def _reduce(function: np.ufunc, values: Ints, starts: Ints) -> Ints:
    return np.asarray(function.reduceat(values, starts)) if len(starts) else values


__all__ = ["UNKNOWN", "Episodes", "Pairs", "Window", "open_window"]
