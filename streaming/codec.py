"""A listener's state as bytes: what the store keeps, what this process keeps, and what the compiled functions read and write.

A version byte and three lengths; then listens, tiles and days, each entry by differences to the one before. Whole numbers are
written seven bits a byte, the lowest first, the top bit saying that more follow (LEB128).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import PODCAST
from contract.rows import Floats
from contract.windows import DAY_MS
from streaming.compiled import compiled
from streaming.tables import SHARES, SUMS, Days, Listens, Tables, Tiles, room

STATE_VERSION = 2
LISTEN_BYTES, TILE_BYTES, DAY_BYTES, HEADER_BYTES = 72, 72, 150, 32
"""No entry is longer than that."""

Bytes = NDArray[np.uint8]
Range = tuple[int, int]

_SEVEN_LESS, _ONE_LESS = (1 << 57) - 1, (1 << 63) - 1
_KIND, _REPLAY, _HAS_ID, _HAS_DURATION, _DEVICE = 1, 2, 4, 8, 16


@compiled
def lengths(blob: Bytes, at: int) -> tuple[int, int, int, int]:
    """Return how many listens, tiles and days there are, and where the first entry begins."""
    n, at = _get(blob, at + 1)
    m, at = _get(blob, at)
    k, at = _get(blob, at)
    return n, m, k, at


@compiled
def read(blob: Bytes, at: int, tables: Tables) -> tuple[int, int, int]:
    """Read the state that begins at ``at`` into tables with room for it; return how many listens, tiles and days it has."""
    return read_behind(blob, at, tables, 0, 0, 0)


@compiled
def read_behind(blob: Bytes, at: int, tables: Tables, listens: int, tiles: int, days: int) -> tuple[int, int, int]:
    """Read a state like ``read``, behind so many entries of others; return how many entries there are then."""
    n, m, k, at = lengths(blob, at)
    at = _read_listens(blob, at, listens, listens + n, tables.listens)
    at = _read_tiles(blob, at, tiles, tiles + m, tables.tiles)
    _read_days(blob, at, days, days + k, tables.days)
    return listens + n, tiles + m, days + k


@compiled
def write(blob: Bytes, at: int, tables: Tables, listens: Range, tiles: Range, days: Range) -> int:
    """Write the entries ``[first, end)`` of each table; return where the state ends."""
    at = _write_lengths(blob, at, listens[1] - listens[0], tiles[1] - tiles[0], days[1] - days[0])
    at = _write_listens(blob, at, listens, tables.listens)
    at = _write_tiles(blob, at, tiles, tables.tiles)
    return _write_days(blob, at, days, tables.days)


@compiled
def read_listens(blob: Bytes, at: int, tables: Tables) -> tuple[int, int]:
    """Read the listens alone of the state that begins at ``at``; return how many they are, and where the rest of it begins."""
    n, _, _, entries = lengths(blob, at)
    return n, _read_listens(blob, entries, 0, n, tables.listens)


@compiled
def write_listens(blob: Bytes, at: int, tables: Tables, n: int, old: Bytes, start: int, rest: int, end: int) -> int:
    """Write n listens, and behind them the rest of the state ``[start, end)`` in ``old``, unread; return where the state ends."""
    _, m, k, _ = lengths(old, start)
    at = _write_lengths(blob, at, n, m, k)
    at = _write_listens(blob, at, (0, n), tables.listens)
    blob[at : at + end - rest] = old[rest:end]
    return at + end - rest


@compiled
def _write_lengths(blob: Bytes, at: int, n: int, m: int, k: int) -> int:
    blob[at] = STATE_VERSION
    at = _put(blob, at + 1, n)
    at = _put(blob, at, m)
    return _put(blob, at, k)


@compiled
def _read_listens(blob: Bytes, at: int, first: int, end: int, listens: Listens) -> int:
    ts = 0
    for i in range(first, end):
        step, at = _get(blob, at)
        ts += step
        flags, at = _get(blob, at)
        listens.ts[i] = ts
        listens.kind[i] = flags & _KIND
        listens.replay[i] = (flags & _REPLAY) != 0
        listens.device[i] = flags // _DEVICE
        listens.ms[i], at = _get(blob, at)
        listens.item[i], at = _get(blob, at)
        zigzag, at = _get(blob, at)
        listens.utc_offset[i] = ((zigzag >> 1) & _ONE_LESS) ^ -(zigzag & 1)
        listens.duration[i] = 0
        if flags & _HAS_DURATION:
            listens.duration[i], at = _get(blob, at)
        listens.id[i] = 0
        if flags & _HAS_ID:
            listens.id[i], at = _get_word(blob, at)
    return at


@compiled
def _write_listens(blob: Bytes, at: int, which: Range, listens: Listens) -> int:
    ts = 0
    for i in range(which[0], which[1]):
        flags = listens.kind[i] + _DEVICE * listens.device[i]
        if listens.replay[i]:
            flags |= _REPLAY
        if listens.duration[i] > 0:
            flags |= _HAS_DURATION
        if listens.id[i] != 0:
            flags |= _HAS_ID
        at = _put(blob, at, listens.ts[i] - ts)
        ts = listens.ts[i]
        at = _put(blob, at, flags)
        at = _put(blob, at, listens.ms[i])
        at = _put(blob, at, listens.item[i])
        at = _put(blob, at, (listens.utc_offset[i] << 1) ^ (listens.utc_offset[i] >> 63))
        if flags & _HAS_DURATION:
            at = _put(blob, at, listens.duration[i])
        if flags & _HAS_ID:
            at = _put_word(blob, at, listens.id[i])
    return at


@compiled
def _read_tiles(blob: Bytes, at: int, first: int, end: int, tiles: Tiles) -> int:
    day = 0
    for i in range(first, end):
        step, at = _get(blob, at)
        day += step
        tiles.day[i] = day
        tiles.item[i], at = _get(blob, at)
        both, at = _get(blob, at)
        tiles.kind[i] = both & 1
        tiles.tenths[i] = both >> 1
        tiles.listens[i] = tiles.ms[i] = tiles.duration[i] = 0
        if tiles.kind[i] == PODCAST:
            tiles.listens[i], at = _get(blob, at)
            tiles.ms[i], at = _get(blob, at)
            tiles.duration[i], at = _get(blob, at)
    return at


@compiled
def _write_tiles(blob: Bytes, at: int, which: Range, tiles: Tiles) -> int:
    day = 0
    for i in range(which[0], which[1]):
        at = _put(blob, at, tiles.day[i] - day)
        day = tiles.day[i]
        at = _put(blob, at, tiles.item[i])
        at = _put(blob, at, (tiles.tenths[i] << 1) + tiles.kind[i])
        if tiles.kind[i] == PODCAST:
            at = _put(blob, at, tiles.listens[i])
            at = _put(blob, at, tiles.ms[i])
            at = _put(blob, at, tiles.duration[i])
    return at


@compiled
def _read_days(blob: Bytes, at: int, first: int, end: int, days: Days) -> int:
    day = 0
    for i in range(first, end):
        step, at = _get(blob, at)
        day += step
        days.day[i] = day
        before_end, at = _get(blob, at)
        days.last_ts[i] = (day + 1) * DAY_MS - before_end
        days.calendar[i], at = _get(blob, at)
        for c in range(SUMS):
            days.sums[i, c], at = _get(blob, at)
        for c in range(SHARES):
            days.shares[i, c], at = _get_float(blob, at)
    return at


@compiled
def _write_days(blob: Bytes, at: int, which: Range, days: Days) -> int:
    day = 0
    for i in range(which[0], which[1]):
        at = _put(blob, at, days.day[i] - day)
        day = days.day[i]
        at = _put(blob, at, (day + 1) * DAY_MS - days.last_ts[i])
        at = _put(blob, at, days.calendar[i])
        for c in range(SUMS):
            at = _put(blob, at, days.sums[i, c])
        at = _put_floats(blob, at, days.shares[i])
    return at


@compiled
def _get(blob: Bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = int(blob[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


@compiled
def _put(blob: Bytes, at: int, value: int) -> int:
    while value < 0 or value >= 128:
        blob[at] = (value & 127) | 128
        value = (value >> 7) & _SEVEN_LESS  # as of a number without a sign: a negative one takes ten bytes
        at += 1
    blob[at] = value
    return at + 1


@compiled
def _get_word(blob: Bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(8):
        value |= int(blob[at + i]) << (8 * i)
    return value, at + 8


@compiled
def _put_word(blob: Bytes, at: int, value: int) -> int:
    for i in range(8):
        blob[at + i] = (value >> (8 * i)) & 255
    return at + 8


@compiled
def _get_float(blob: Bytes, at: int) -> tuple[float, int]:
    return blob[at : at + 8].view(np.float64)[0], at + 8


@compiled
def _put_floats(blob: Bytes, at: int, values: Floats) -> int:
    size = 8 * len(values)
    blob[at : at + size] = values.view(np.uint8)
    return at + size


def tables_of(state: bytes) -> Tables:
    """Return the tables of one state."""
    blob = np.frombuffer(state, np.uint8)
    n, m, k, _ = lengths(blob, 0)
    tables = room(n, m, k)
    read(blob, 0, tables)
    return tables


def state_of(tables: Tables) -> bytes:
    """Return the state of one listener's tables."""
    n, m, k = (len(table[0]) for table in tables)
    blob = np.empty(HEADER_BYTES + n * LISTEN_BYTES + m * TILE_BYTES + k * DAY_BYTES, np.uint8)
    return blob[: write(blob, 0, tables, (0, n), (0, m), (0, k))].tobytes()
