"""Counting new listens into states, and closing the days that no listen can reach any more; compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import MUSIC, PHONE, PODCAST, Ints
from contract.rows import Floats
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
from streaming.tables import (
    AT_NIGHT,
    COMPLETED,
    DECAYED,
    LISTENS,
    MS,
    MUSIC_LISTENS,
    MUSIC_SKIPS,
    ON_PHONE,
    PODCAST_MS,
    REPLAYS,
    TIMED,
    Days,
    Listens,
    Tables,
    Tiles,
    make_place,
)


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
        tables: room for the listens of the largest of the states with its new ones.
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
    for c in range(len(listens)):
        make_place(listens[c], at, n)
        listens[c][at] = new[c][j]
    mark_replays(listens, n + 1, at, constants)
    return True


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
        for column in tiles:
            make_place(column, at, m)
        tiles.day[at], tiles.item[at], tiles.kind[at] = day, item, kind
        m += 1
    shown = tenths(is_skip(kind, listens.ms[i], constants), listens.replay[i] != 0, constants)
    tiles.tenths[at] = max(tiles.tenths[at], shown)
    tiles.listens[at] += 1
    tiles.ms[at] += listens.ms[i]
    tiles.duration[at] = max(tiles.duration[at], listens.duration[i])
    return m


@compiled
def _add_to_day(days: Days, first: int, k: int, listens: Listens, i: int, constants: Constants) -> int:
    """Add a listen to its day; return how many days there are now."""
    ts = listens.ts[i]
    day = ts // DAY_MS
    at = k
    while at > first and days.day[at - 1] > day:
        at -= 1
    if at > first and days.day[at - 1] == day:
        at -= 1
    else:
        for column in (days.day, days.last_ts, days.calendar):
            make_place(column, at, k)
        make_place(days.sums, at, k)
        make_place(days.shares, at, k)
        days.day[at] = day
        k += 1
    days.last_ts[at] = max(days.last_ts[at], ts)
    _add_listen(days.sums[at], days.shares[at], listens, i, (day + 1) * DAY_MS, constants)
    if not is_skip(listens.kind[i], listens.ms[i], constants):
        days.calendar[at] |= 1 << (1 + (ts + constants.calendar_offset_min * MINUTE_MS) // DAY_MS - day)
    return k


@compiled
def _add_listen(sums: Ints, shares: Floats, listens: Listens, i: int, decayed_to_ms: int, constants: Constants) -> None:
    """Add listen i to sums, shape (9,) and (2,); its decay is taken to an instant."""
    kind, ms, duration = listens.kind[i], listens.ms[i], listens.duration[i]
    skip = is_skip(kind, ms, constants)
    sums[LISTENS] += 1
    sums[MS] += ms
    sums[AT_NIGHT] += is_night(listens.ts[i], listens.utc_offset[i], constants)
    sums[ON_PHONE] += listens.device[i] == PHONE
    if kind == PODCAST:
        sums[PODCAST_MS] += ms
    if kind == MUSIC:
        sums[MUSIC_LISTENS] += 1
        sums[MUSIC_SKIPS] += skip
        sums[REPLAYS] += listens.replay[i]
        if duration > 0:
            sums[TIMED] += 1
            shares[COMPLETED] += completion(ms, duration)
    if not skip:
        shares[DECAYED] += np.exp2(-(decayed_to_ms - listens.ts[i]) / constants.half_life_ms)


@compiled
def largest(blob: Bytes, starts: Ints) -> tuple[int, int, int]:
    """Return the most listens, tiles and days that one of the states has."""
    most, tiles, days = 0, 0, 0
    for i in range(len(starts)):
        n, m, k, _ = lengths(blob, starts[i])
        most, tiles, days = max(most, n), max(tiles, m), max(days, k)
    return most, tiles, days
