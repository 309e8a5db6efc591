"""Items, genres and the listener's vector, from the engagement of (listener, item) pairs."""

from __future__ import annotations

import numpy as np

from streaming.columns import Columns
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.desk import NOT_HEARD, Desk
from streaming.facts import UNKNOWN, Codes
from streaming.listens import is_skip, tenths
from streaming.window import Window


@compiled
def taste(window: Window, constants: Constants, facts: Codes, desk: Desk, out: Columns, i: int) -> None:
    """Compute this subject's features of a listener into row i."""
    n = _engagement(window, constants, desk)
    played = 0
    for j in range(n):
        played += desk.tenths[desk.heard[j]] >= constants.play_tenths
    out.distinct_items_28d[i] = played
    _genres(n, facts, desk, out, i)
    _vector(n, facts, desk, out, i)
    for j in range(n):
        desk.tenths[desk.heard[j]] = NOT_HEARD


@compiled
def _engagement(window: Window, constants: Constants, desk: Desk) -> int:
    """Note the highest engagement of each heard item in ``desk.tenths``; return how many items ``desk.heard`` lists."""
    n = 0
    for j in range(window.first, window.end):
        skip = is_skip(window.listens.kind[j], window.listens.ms[j], constants)
        n = _note(desk, n, window.listens.item[j], tenths(skip, window.listens.replay[j] != 0, constants))
    for j in range(window.first_tile, window.end_tile):
        n = _note(desk, n, window.tiles.item[j], window.tiles.tenths[j])
    return n


@compiled
def _note(desk: Desk, n: int, item: int, shown: int) -> int:
    if desk.tenths[item] == NOT_HEARD:
        desk.heard[n] = item
        n += 1
    desk.tenths[item] = max(desk.tenths[item], shown)
    return n


@compiled
def _genres(n: int, facts: Codes, desk: Desk, out: Columns, i: int) -> None:
    """Compute the mean engagement by genre, and the first of the highest in the order of the genres' names."""
    total, count = desk.genre_total, desk.genre_count
    total[:] = 0
    count[:] = 0
    for j in range(n):
        genre = facts.genre[desk.heard[j]]
        if genre != UNKNOWN:
            total[genre] += desk.tenths[desk.heard[j]]
            count[genre] += 1
    best, highest = UNKNOWN, np.nan
    for genre in range(len(count)):
        mean = total[genre] / (10 * count[genre]) if count[genre] else 0.0
        out.genre_affinity[i, genre] = mean
        if count[genre] and (best == UNKNOWN or mean > highest):
            best, highest = genre, mean
    out.top_genre[i], out.top_genre_affinity[i] = best, highest


@compiled
def _vector(n: int, facts: Codes, desk: Desk, out: Columns, i: int) -> None:
    """Compute the L2-normalised sum of engagement x item vector; NaN where there is none."""
    rank = facts.vectors.shape[1]
    total = out.user_vector[i]
    total[:] = 0.0
    for j in range(n):
        place = facts.vector[desk.heard[j]]
        if place != UNKNOWN:
            weight = desk.tenths[desk.heard[j]] / 10
            for c in range(rank):
                total[c] += weight * facts.vectors[place, c]
    norm = np.sqrt((total * total).sum())
    for c in range(len(total)):
        total[c] = total[c] / norm if norm > 0 else np.nan
