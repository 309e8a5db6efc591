"""Plays, skips, replays, completion and recency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import MUSIC
from contract.rows import FeatureColumns, Floats
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, hours_start, yesterday
from streaming.tiles import completion
from streaming.window import Ints, Window


def compute(window: Window) -> FeatureColumns:
    """Return the columns of this subject."""
    play, music, ts = ~window.skip, window.listens["kind"] == MUSIC, window.listens["ts"]
    t, constants = window.as_of_ms, window.constants
    day_start, day_end = yesterday(t, constants.calendar_offset_min)
    listens = window.total(music, "music")
    pairs = window.pairs
    return {
        "plays_24h": window.count(play & (ts >= hours_start(t, constants.short_window_h))),
        "plays_7d": window.count(play & (ts >= hours_start(t, constants.week_window_h))),
        "plays_yesterday": window.count(play & (ts >= day_start) & (ts < day_end)),
        "active_days_28d": _active_days(window, play),
        "skip_rate_28d": ratio(window.total(music & window.skip, "skips"), listens),
        "replay_rate_28d": ratio(window.total(window.listens["replay"], "replays"), listens),
        "listen_minutes_28d": window.total(window.listens["ms"], "ms") / MINUTE_MS,
        "completion_28d": _completion(window, music),
        "distinct_items_28d": np.bincount(pairs.row[pairs.tenths >= constants.play_tenths], minlength=window.n),
        "recency_hours": (t - _last(window)) / HOUR_MS,
        "decayed_plays": _decayed(window, play),
    }


def ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN, the null of a number, where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole != 0))


def _active_days(window: Window, play: NDArray[np.bool_]) -> Ints:
    local = (window.listens["ts"] + window.constants.calendar_offset_min * MINUTE_MS) // DAY_MS
    found = [np.stack([window.listen_row[play], local[play]])]
    for shift in (-1, 0, 1):
        marked = (window.days["calendar"] >> (1 + shift)) & 1 == 1
        found.append(np.stack([window.day_row[marked], window.days["day"][marked] + shift]))
    rows = np.unique(np.concatenate(found, axis=1), axis=1)[0]
    return np.bincount(rows, minlength=window.n)


def _completion(window: Window, music: NDArray[np.bool_]) -> Floats:
    duration = window.listens["duration"]
    timed = music & (duration > 0)
    share = np.where(timed, completion(window.listens["ms"], duration), 0.0)
    return ratio(window.total(share, "completed"), window.total(timed, "timed"))


def _last(window: Window) -> Ints:
    last = np.zeros(window.n, np.int64)
    np.maximum.at(last, window.day_row, window.days["last_ts"])
    np.maximum.at(last, window.listen_row, window.listens["ts"])
    return last


def _decayed(window: Window, play: NDArray[np.bool_]) -> Floats:
    t, half_life = window.as_of_ms, window.constants.half_life_ms
    singles = np.where(play, np.exp2(-(t - window.listens["ts"]) / half_life), 0.0)
    since_end = t - (window.days["day"].astype(np.int64) + 1) * DAY_MS
    closed = window.days["decayed"] * np.exp2(-since_end / half_life)
    return np.asarray(np.bincount(window.listen_row, singles, window.n) + np.bincount(window.day_row, closed, window.n))
