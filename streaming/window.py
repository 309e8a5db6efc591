"""What one listener's features are computed from, as of one instant: the entries of the tables that lie in the 28-day window."""

from __future__ import annotations

from typing import NamedTuple

from contract.windows import DAY_MS
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.tables import Days, Listens, Tables, Tiles


class Window(NamedTuple):
    """Single listens ``[first, end)``, and the closed part: tiles ``[first_tile, end_tile)``, days ``[first_day, end_day)``."""

    as_of_ms: int
    listens: Listens
    first: int
    end: int
    tiles: Tiles
    first_tile: int
    end_tile: int
    days: Days
    first_day: int
    end_day: int


@compiled
def open_window(tables: Tables, n: int, m: int, k: int, as_of_ms: int, constants: Constants) -> Window:
    """Open the window of a listener whose state fills the tables with n listens, m tiles and k days."""
    start_day = as_of_ms // DAY_MS - constants.month_window_d
    first, end, tile, day = 0, n, 0, 0
    while first < n and tables.listens.ts[first] < start_day * DAY_MS:
        first += 1
    while end > first and tables.listens.ts[end - 1] >= as_of_ms:
        end -= 1
    while tile < m and tables.tiles.day[tile] < start_day:
        tile += 1
    while day < k and tables.days.day[day] < start_day:
        day += 1
    return Window(as_of_ms, tables.listens, first, end, tables.tiles, tile, m, tables.days, day, k)
