"""Podcasts. A resumed episode is one episode, however many plays it took."""

from __future__ import annotations

from contract.event import PODCAST
from streaming.columns import Columns, share
from streaming.compiled import compiled
from streaming.desk import Desk
from streaming.facts import UNKNOWN, Codes
from streaming.listens import completion
from streaming.window import Window


@compiled
def podcasts(window: Window, facts: Codes, desk: Desk, out: Columns, i: int, entry: int) -> int:
    """Compute this subject's features of a listener into row i; shows go to entries from ``entry`` on. Return the next entry."""
    n = _episodes(window, desk)
    completed, timed, shows = 0.0, 0, 0
    for j in range(n):
        episode = desk.heard[j]
        show, heard = facts.show[episode], 0.0
        if desk.duration[episode] > 0:
            heard = completion(desk.ms[episode], desk.duration[episode])
            completed += heard
            timed += 1
        if show != UNKNOWN:
            if desk.show_listens[show] == 0:
                shows = _list(desk, shows, show)
            desk.show_listens[show] += desk.listens[episode]
            desk.show_completed[show] += heard
            desk.show_timed[show] += desk.duration[episode] > 0
        desk.listens[episode] = desk.ms[episode] = desk.duration[episode] = 0
    out.podcast_completion_28d[i] = share(completed, timed)
    for j in range(shows):
        show = desk.shows[j]
        out.show[entry + j], out.show_listens[entry + j] = show, desk.show_listens[show]
        out.show_completion[entry + j] = share(desk.show_completed[show], desk.show_timed[show])
        desk.show_listens[show] = desk.show_timed[show] = 0
        desk.show_completed[show] = 0.0
    return entry + shows


@compiled
def _episodes(window: Window, desk: Desk) -> int:
    """Sum listens, ms and the largest duration by episode; return how many episodes ``desk.heard`` lists."""
    n, listens, tiles = 0, window.listens, window.tiles
    for j in range(window.first, window.end):
        if listens.kind[j] == PODCAST:
            n = _add(desk, n, listens.item[j], 1, listens.ms[j], listens.duration[j])
    for j in range(window.first_tile, window.end_tile):
        if tiles.kind[j] == PODCAST:
            n = _add(desk, n, tiles.item[j], tiles.listens[j], tiles.ms[j], tiles.duration[j])
    return n


@compiled
def _add(desk: Desk, n: int, episode: int, listens: int, ms: int, duration: int) -> int:
    if desk.listens[episode] == 0:
        desk.heard[n] = episode
        n += 1
    desk.listens[episode] += listens
    desk.ms[episode] += ms
    desk.duration[episode] = max(desk.duration[episode], duration)
    return n


@compiled
def _list(desk: Desk, n: int, show: int) -> int:
    """Put a show into its place among n: by code, which is by name."""
    at = n
    while at > 0 and desk.shows[at - 1] > show:
        desk.shows[at] = desk.shows[at - 1]
        at -= 1
    desk.shows[at] = show
    return n + 1
