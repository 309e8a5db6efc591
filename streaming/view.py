"""What a skew sees of the listeners whose features it changes: their windows, one behind the other, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from contract.event import PODCAST, Ints, Names
from contract.features import FeatureConstants
from contract.rows import FeatureColumns
from contract.windows import DAY_MS, days_start
from streaming.codec import Bytes, lengths, read_behind
from streaming.compiled import compiled
from streaming.facts import UNKNOWN, Facts
from streaming.features import compute
from streaming.state import joined
from streaming.tables import Days, Listens, Tables, Tiles, room


@dataclass(frozen=True)
class Episodes:
    """(listener, episode) pairs, sorted: ``ms`` and ``listens`` summed, ``duration`` the largest known, or 0."""

    row: Ints
    item: Ints
    show: Ints
    ms: Ints
    listens: Ints
    duration: Ints


@dataclass(frozen=True)
class View:
    """The 28-day window of n listeners at ``as_of_ms``.

    ``listens`` are the single listens, ``days`` and ``tiles`` the closed part; ``listen_row``, ``day_row`` and ``tile_row`` say
    whose each entry is (0 to n - 1, ascending).
    """

    users: Names
    as_of_ms: int
    constants: FeatureConstants
    facts: Facts
    listens: Listens
    listen_row: Ints
    tiles: Tiles
    tile_row: Ints
    days: Days
    day_row: Ints
    states: Sequence[bytes] = ()

    def again(self, constants: FeatureConstants | None = None, facts: Facts | None = None) -> FeatureColumns:
        """Compute all features of these listeners again, with other numbers in the definitions or other facts of items.

        The 28 days that decide who has a row have to stay 28 days.
        """
        return compute(self.states, self.as_of_ms, constants or self.constants, facts or self.facts).columns

    @property
    def n(self) -> int:
        """How many listeners there are."""
        return len(self.users)

    @property
    def show_names(self) -> NDArray[np.object_]:
        """The names of the show codes."""
        return np.array(self.facts.shows, object)

    @cached_property
    def plays(self) -> NDArray[np.bool_]:
        """Which of the single listens are plays."""
        music, podcast = self.constants.music_skip_ms, self.constants.podcast_skip_ms
        return np.asarray(self.listens.ms >= np.where(self.listens.kind == PODCAST, podcast, music))

    @cached_property
    def episodes(self) -> Episodes:
        """The pairs of listener and episode."""
        singles, closed = self.listens.kind == PODCAST, self.tiles.kind == PODCAST
        row = np.concatenate([self.listen_row[singles], self.tile_row[closed]])
        part = {
            name: np.concatenate([getattr(self.listens, name)[singles], getattr(self.tiles, name)[closed]])
            for name in ("item", "ms", "duration")
        }
        listens = np.concatenate([np.ones(int(singles.sum()), np.int64), self.tiles.listens[closed]])
        order = np.lexsort((part["item"], row))
        pair = np.stack([row[order], part["item"][order]])
        starts = np.flatnonzero(np.append(True, (pair[:, 1:] != pair[:, :-1]).any(axis=0))) if len(row) else np.empty(0, np.int64)
        item = pair[1][starts]
        return Episodes(
            row=pair[0][starts],
            item=item,
            show=self.facts.codes.show[item] if len(item) else np.full(0, UNKNOWN),
            ms=_reduce(np.add, part["ms"][order], starts),
            listens=_reduce(np.add, listens[order], starts),
            duration=_reduce(np.maximum, part["duration"][order], starts),
        )


def open_view(users: Names, states: Sequence[bytes], as_of_ms: int, constants: FeatureConstants, facts: Facts) -> View:
    """Open the view of some listeners' states."""
    blob, starts = joined(states)
    counts = _counts(blob, starts)
    tables = room(*counts.sum(axis=0).tolist())
    _read_all(blob, starts, tables)
    listen_row, tile_row, day_row = (np.repeat(np.arange(len(users)), counts[:, i]) for i in range(3))
    start = days_start(as_of_ms, constants.month_window_d)
    inside = (tables.listens.ts >= start) & (tables.listens.ts < as_of_ms)
    tile, day = tables.tiles.day >= start // DAY_MS, tables.days.day >= start // DAY_MS
    return View(
        users=users,
        as_of_ms=as_of_ms,
        constants=constants,
        facts=facts,
        listens=Listens._make(column[inside] for column in tables.listens),
        listen_row=listen_row[inside],
        tiles=Tiles._make(column[tile] for column in tables.tiles),
        tile_row=tile_row[tile],
        days=Days._make(column[day] for column in tables.days),
        day_row=day_row[day],
        states=states,
    )


@compiled
def _counts(blob: Bytes, starts: Ints) -> Ints:
    counts = np.zeros((len(starts), 3), np.int64)
    for i in range(len(starts)):
        counts[i, 0], counts[i, 1], counts[i, 2], _ = lengths(blob, starts[i])
    return counts


@compiled
def _read_all(blob: Bytes, starts: Ints, tables: Tables) -> None:
    n = m = k = 0
    for i in range(len(starts)):
        n, m, k = read_behind(blob, starts[i], tables, n, m, k)


def _reduce(function: np.ufunc, values: Ints, starts: Ints) -> Ints:
    return np.asarray(function.reduceat(values, starts)) if len(starts) else values
