"""Closed days as sums: what is left of single listens when no event can reach their day any more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import MUSIC, PHONE, PODCAST
from contract.features import FeatureConstants
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS
from streaming.listens import is_skip, tenths
from streaming.tables import DAY, TILE, Table, changes

Rows = NDArray[np.int64]


def item_tiles(listens: Table, row: Rows, constants: FeatureConstants) -> tuple[Table, Rows]:
    """Sum listens per row, day, item and kind; return the tiles and the row of each, sorted by row and day."""
    day = listens["ts"] // DAY_MS
    order = np.lexsort((listens["kind"], listens["item"], day, row))
    listens, row, day = listens[order], row[order], day[order]
    starts = np.flatnonzero(changes(row, day, listens["item"], listens["kind"]))
    tiles = np.empty(len(starts), TILE)
    if len(starts):
        tiles["day"], tiles["item"], tiles["kind"] = day[starts], listens["item"][starts], listens["kind"][starts]
        tiles["tenths"] = np.maximum.reduceat(tenths(listens, is_skip(listens, constants), constants), starts)
        tiles["listens"] = np.diff(starts, append=len(listens))
        tiles["ms"] = np.add.reduceat(listens["ms"], starts)
        tiles["duration"] = np.maximum.reduceat(listens["duration"], starts)
    return tiles, row[starts]


def day_tiles(listens: Table, row: Rows, constants: FeatureConstants) -> tuple[Table, Rows]:
    """Sum listens that are sorted by row and ts per row and day; return the days and the row of each."""
    day = listens["ts"] // DAY_MS
    starts = np.flatnonzero(changes(row, day))
    days = np.empty(len(starts), DAY)
    if not len(starts):
        return days, row[starts]
    skip, music = is_skip(listens, constants), listens["kind"] == MUSIC
    timed = music & (listens["duration"] > 0)
    sums = {
        "listens": np.ones(len(listens), np.int64),
        "plays": ~skip,
        "music": music,
        "skips": music & skip,
        "replays": listens["replay"],
        "night": is_night(listens, constants),
        "phone": listens["device"] == PHONE,
        "ms": listens["ms"],
        "podcast_ms": np.where(listens["kind"] == PODCAST, listens["ms"], 0),
        "completed": np.where(timed, completion(listens["ms"], listens["duration"]), 0.0),
        "timed": timed,
        "decayed": np.where(skip, 0.0, np.exp2(-((day + 1) * DAY_MS - listens["ts"]) / constants.half_life_ms)),
    }
    for name, values in sums.items():
        days[name] = np.add.reduceat(values, starts, dtype=DAY[name])
    days["day"] = day[starts]
    days["last_ts"] = np.maximum.reduceat(listens["ts"], starts)
    local = (listens["ts"] + constants.calendar_offset_min * MINUTE_MS) // DAY_MS
    days["calendar"] = np.bitwise_or.reduceat(np.where(skip, 0, 1 << (1 + local - day)), starts)
    return days, row[starts]


def is_night(listens: Table, constants: FeatureConstants) -> NDArray[np.bool_]:
    """Tell which listens ended at night by the listener's own clock."""
    hour = (listens["ts"] + listens["utc_offset"].astype(np.int64) * MINUTE_MS) // HOUR_MS % 24
    return np.asarray((hour >= constants.night_from_hour) | (hour < constants.night_until_hour))


def completion(ms: NDArray[np.int64], duration: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return min(1, ms / duration); any value where the duration is unknown."""
    return np.minimum(1.0, ms / np.where(duration > 0, duration, 1))
