"""Counting new listens into states, and closing the days that no listen can reach any more; compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import MUSIC, PHONE, PODCAST, Ints
from contract.windows import DAY_MS, MINUTE_MS
from streaming.codec import (
    DAY_BYTES,
    HEADER_BYTES,
    LISTEN_BYTES,
    TILE_BYTES,
    Bytes,
    lengths,
    read,
    read_listens,
    write,
    write_listens,
)
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.listens import completion, is_night, is_skip, mark_replays, tenths
from streaming.tables import Days, Listens, Tables, Tiles


@compiled
def count_listens(
    blob: Bytes, starts: Ints, new: Listens, new_starts: Ints, tables: Tables, constants: Constants
) -> tuple[Bytes, Ints, NDArray[np.bool_]]:
    """Count new listens into the states of n listeners.

    Args:
        blob: the states, one behind the other.
        starts: where each begins, shape (n,).
        new: the new listens, by listener and then in the order in which they came.
        new_starts: which are whose, shape (n + 1,).
        tables: room for the largest of the states with its new listens.
        constants: the numbers in the definitions.

    Returns:
        The new states, where each begins and the last ends (n + 1,), and who has a listen that is no repeat (n,).
    """
    count = len(starts)
    out = np.empty(len(blob) + HEADER_BYTES * count + LISTEN_BYTES * len(new.ts), np.uint8)
    ends, counted = np.zeros(count + 1, np.int64), np.zeros(count, np.bool_)
    for i in range(count):
        n, rest = read_listens(blob, starts[i], tables)
        for j in range(new_starts[i], new_starts[i + 1]):
            if _insert(tables.listens, n, new, j, constants):
                counted[i] = True
                n += 1
        end = starts[i + 1] if i + 1 < count else len(blob)
        ends[i + 1] = write_listens(out, ends[i], tables, n, blob, starts[i], rest, end)
    return out[: ends[count]], ends, counted


@compiled
def _insert(listens: Listens, n: int, new: Listens, j: int, constants: Constants) -> bool:
    """Put a listen into its place by instant and id, unless it is there already: the first of two counts."""
    at = n
    while at > 0 and (listens.ts[at - 1] > new.ts[j] or (listens.ts[at - 1] == new.ts[j] and listens.id[at - 1] > new.id[j])):
        at -= 1
    if at > 0 and listens.ts[at - 1] == new.ts[j] and listens.id[at - 1] == new.id[j]:
        return False
    for i in range(n, at, -1):
        _copy(listens, i, listens, i - 1)
    _copy(listens, at, new, j)
    mark_replays(listens, n + 1, at, constants)
    return True


@compiled
def _copy(to: Listens, at: int, source: Listens, i: int) -> None:
    to.ts[at] = source.ts[i]
    to.id[at] = source.id[i]
    to.ms[at] = source.ms[i]
    to.duration[at] = source.duration[i]
    to.item[at] = source.item[i]
    to.utc_offset[at] = source.utc_offset[i]
    to.kind[at] = source.kind[i]
    to.device[at] = source.device[i]
    to.replay[at] = source.replay[i]


@compiled
def close_days(
    blob: Bytes, starts: Ints, horizon_ms: int, repeats_ms: int, oldest_day: int, tables: Tables, constants: Constants
) -> tuple[Bytes, Ints, NDArray[np.bool_]]:
    """Turn the listens before a horizon into tiles; forget the ids before ``repeats_ms`` and all tiles before a day.

    Args and returns as for ``count_listens``; ``tables`` has room for a tile and a day more for each listen, and the last return
    tells whose state has changed. A state of nothing has no bytes.
    """
    count, size = len(starts), len(blob)
    for i in range(count):
        size += HEADER_BYTES + lengths(blob, starts[i])[0] * (TILE_BYTES + DAY_BYTES)
    out, ends, changed = np.empty(size, np.uint8), np.zeros(count + 1, np.int64), np.zeros(count, np.bool_)
    listens, tiles, days = tables
    for i in range(count):
        n, m, k = read(blob, starts[i], tables)
        tile, day = 0, 0
        while tile < m and tiles.day[tile] < oldest_day:
            tile += 1
        while day < k and days.day[day] < oldest_day:
            day += 1
        closed = 0
        while closed < n and listens.ts[closed] < horizon_ms:
            if listens.ts[closed] // DAY_MS >= oldest_day:
                m = _add_to_tile(tiles, tile, m, listens, closed, constants)
                k = _add_to_day(days, day, k, listens, closed, constants)
            closed += 1
        changed[i] = _forget_ids(listens, closed, n, repeats_ms) or closed > 0 or tile > 0 or day > 0
        ends[i + 1] = ends[i]
        if closed < n or day < k:
            ends[i + 1] = write(out, ends[i], tables, (closed, n), (tile, m), (day, k))
    return out[: ends[count]], ends, changed


@compiled
def _forget_ids(listens: Listens, first: int, n: int, before_ms: int) -> bool:
    some = False
    while first < n and listens.ts[first] < before_ms:
        some |= listens.id[first] != 0
        listens.id[first] = 0
        first += 1
    return some


@compiled
def _add_to_tile(tiles: Tiles, first: int, m: int, listens: Listens, i: int, constants: Constants) -> int:
    """Add a listen to the tile of its day, item and kind; return how many tiles there are now."""
    day, item, kind = listens.ts[i] // DAY_MS, listens.item[i], listens.kind[i]
    after = m
    while after > first and tiles.day[after - 1] > day:
        after -= 1
    at = after - 1
    while at >= first and tiles.day[at] == day and (tiles.item[at] != item or tiles.kind[at] != kind):
        at -= 1
    if at < first or tiles.day[at] != day:
        at = after
        for j in range(m, at, -1):
            _move_tile(tiles, j, j - 1)
        tiles.day[at], tiles.item[at], tiles.kind[at] = day, item, kind
        tiles.tenths[at] = tiles.listens[at] = tiles.ms[at] = tiles.duration[at] = 0
        m += 1
    shown = tenths(is_skip(kind, listens.ms[i], constants), listens.replay[i] != 0, constants)
    tiles.tenths[at] = max(tiles.tenths[at], shown)
    tiles.listens[at] += 1
    tiles.ms[at] += listens.ms[i]
    tiles.duration[at] = max(tiles.duration[at], listens.duration[i])
    return m


@compiled
def _move_tile(tiles: Tiles, at: int, i: int) -> None:
    tiles.day[at] = tiles.day[i]
    tiles.item[at] = tiles.item[i]
    tiles.kind[at] = tiles.kind[i]
    tiles.tenths[at] = tiles.tenths[i]
    tiles.listens[at] = tiles.listens[i]
    tiles.ms[at] = tiles.ms[i]
    tiles.duration[at] = tiles.duration[i]


@compiled
def _add_to_day(days: Days, first: int, k: int, listens: Listens, i: int, constants: Constants) -> int:
    """Add a listen to its day; return how many days there are now."""
    ts, ms, music = listens.ts[i], listens.ms[i], listens.kind[i] == MUSIC
    day = ts // DAY_MS
    at = k
    while at > first and days.day[at - 1] > day:
        at -= 1
    if at > first and days.day[at - 1] == day:
        at -= 1
    else:
        for j in range(k, at, -1):
            _move_day(days, j, j - 1)
        _begin_day(days, at, day, ts)
        k += 1
    skip = is_skip(listens.kind[i], ms, constants)
    days.last_ts[at] = max(days.last_ts[at], ts)
    days.listens[at] += 1
    days.plays[at] += not skip
    days.music[at] += music
    days.skips[at] += music and skip
    days.replays[at] += listens.replay[i]
    days.night[at] += is_night(ts, listens.utc_offset[i], constants)
    days.phone[at] += listens.device[i] == PHONE
    days.ms[at] += ms
    days.podcast_ms[at] += ms if listens.kind[i] == PODCAST else 0
    if music and listens.duration[i] > 0:
        days.timed[at] += 1
        days.completed[at] += completion(ms, listens.duration[i])
    if not skip:
        days.decayed[at] += np.exp2(-((day + 1) * DAY_MS - ts) / constants.half_life_ms)
        days.calendar[at] |= 1 << (1 + (ts + constants.calendar_offset_min * MINUTE_MS) // DAY_MS - day)
    return k


@compiled
def _begin_day(days: Days, at: int, day: int, ts: int) -> None:
    days.day[at], days.last_ts[at] = day, ts
    days.listens[at] = days.plays[at] = days.music[at] = days.skips[at] = days.replays[at] = days.night[at] = days.phone[at] = 0
    days.ms[at] = days.podcast_ms[at] = days.timed[at] = days.calendar[at] = 0
    days.completed[at] = days.decayed[at] = 0.0


@compiled
def _move_day(days: Days, at: int, i: int) -> None:
    days.day[at] = days.day[i]
    days.last_ts[at] = days.last_ts[i]
    days.listens[at] = days.listens[i]
    days.plays[at] = days.plays[i]
    days.music[at] = days.music[i]
    days.skips[at] = days.skips[i]
    days.replays[at] = days.replays[i]
    days.night[at] = days.night[i]
    days.phone[at] = days.phone[i]
    days.ms[at] = days.ms[i]
    days.podcast_ms[at] = days.podcast_ms[i]
    days.timed[at] = days.timed[i]
    days.calendar[at] = days.calendar[i]
    days.completed[at] = days.completed[i]
    days.decayed[at] = days.decayed[i]


@compiled
def largest(blob: Bytes, starts: Ints) -> tuple[int, int, int]:
    """Return the most listens, tiles and days that one of the states has."""
    most, tiles, days = 0, 0, 0
    for i in range(len(starts)):
        n, m, k, _ = lengths(blob, starts[i])
        most, tiles, days = max(most, n), max(tiles, m), max(days, k)
    return most, tiles, days
