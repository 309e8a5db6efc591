"""Podcasts. A resumed episode is one episode, however many plays it took."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns, MapColumn, map_column
from streaming.facts import UNKNOWN
from streaming.features.listening import ratio
from streaming.tables import changes
from streaming.tiles import completion
from streaming.window import Ints, Window


def compute(window: Window) -> FeatureColumns:
    """Return the columns of this subject."""
    episodes = window.episodes
    ms = window.total(window.listens["ms"], "ms")
    podcast_ms = window.total(np.where(window.listens["kind"] == 1, window.listens["ms"], 0), "podcast_ms")
    timed = episodes.duration > 0
    share = completion(episodes.ms, episodes.duration)
    known = episodes.show != UNKNOWN
    return {
        "podcast_share_28d": ratio(podcast_ms, ms),
        "podcast_completion_28d": ratio(
            np.bincount(episodes.row[timed], share[timed], window.n).astype(np.float64),
            np.bincount(episodes.row[timed], minlength=window.n).astype(np.float64),
        ),
        "show_completion_28d": _mean_by_show(window, share, timed & known),
        "show_listens_28d": _listens_by_show(window, known),
    }


def _mean_by_show(window: Window, share: np.ndarray, which: np.ndarray) -> MapColumn:
    row, show, starts, order = _by_show(window, which)
    count = np.diff(starts, append=len(row))
    total = np.add.reduceat(share[order], starts) if len(starts) else np.empty(0)
    return map_column(row[starts], window.show_names[show[starts]], total / count, window.n)


def _listens_by_show(window: Window, which: np.ndarray) -> MapColumn:
    row, show, starts, order = _by_show(window, which)
    total = np.add.reduceat(window.episodes.listens[order], starts) if len(starts) else np.empty(0, np.int64)
    return map_column(row[starts], window.show_names[show[starts]], total, window.n)


def _by_show(window: Window, which: np.ndarray) -> tuple[Ints, Ints, Ints, Ints]:
    """Sort the picked episodes by listener and show (codes stand in code point order) and say where each pair starts."""
    picked = np.flatnonzero(which)
    order = picked[np.lexsort((window.episodes.show[picked], window.episodes.row[picked]))]
    row, show = window.episodes.row[order], window.episodes.show[order]
    return row, show, np.flatnonzero(changes(row, show)), order
