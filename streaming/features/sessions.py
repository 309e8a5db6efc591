"""Sessions, and when and on what somebody listens."""

from __future__ import annotations

import numpy as np

from contract.event import PHONE
from contract.rows import FeatureColumns
from contract.windows import MINUTE_MS, days_start
from streaming.features.listening import ratio
from streaming.tables import changes
from streaming.tiles import is_night
from streaming.window import Ints, Window

_APART = 1 << 43  # further apart than any two instants: keeps a running maximum from crossing over to the next listener


def compute(window: Window) -> FeatureColumns:
    """Return the columns of this subject."""
    count, length = _sessions(window)
    listens = window.total(np.ones(len(window.listens)), "listens")
    return {
        "sessions_7d": count,
        "session_minutes_7d": ratio(length / MINUTE_MS, count.astype(np.float64)),
        "night_share_28d": ratio(window.total(is_night(window.listens, window.constants), "night"), listens),
        "phone_share_28d": ratio(window.total(window.listens["device"] == PHONE, "phone"), listens),
    }


def _sessions(window: Window) -> tuple[Ints, Ints]:
    """Return, per listener, the number of sessions and the sum of their lengths in ms."""
    inside = window.listens["ts"] >= days_start(window.as_of_ms, window.constants.session_window_d)
    row, end = window.listen_row[inside], window.listens["ts"][inside]
    start = end - window.listens["ms"][inside]
    order = np.lexsort((start, row))
    row, start, end = row[order], start[order], end[order]
    latest = np.maximum.accumulate(end + row * _APART) - row * _APART
    begins = changes(row)
    begins[1:] |= start[1:] > latest[:-1] + window.constants.session_gap_ms
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(row))[: len(first)] - 1
    count = np.bincount(row[first], minlength=window.n)
    lengths = np.bincount(row[first], latest[last] - start[first], window.n)
    return count, lengths.astype(np.int64)
