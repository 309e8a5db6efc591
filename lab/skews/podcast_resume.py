"""A resumed episode counted as many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import PODCAST
from contract.rows import Column, FeatureColumns, MapColumn, map_column
from contract.skew import Skew
from streaming.view import View


class PodcastResume(Skew):
    """Completion as the mean over single plays, not over episodes with their plays summed."""

    id = "podcast-resume"
    title = "A resumed podcast episode is counted as several"
    story = (
        "The real-time rewrite takes the completion of every play event. Somebody who hears an episode in four sittings "
        "finishes it in training and is at a quarter of it in serving."
    )
    sources = (
        "https://podnews.net/update/spotify-measurement",
        "https://support.spotify.com/kh/creators/article/how-we-count-engagement-metrics/",
    )
    group = "meaning"
    moves = ("podcast_completion_28d", "show_completion_28d")
    seen_by = ("distribution", "parity", "ranking")
    parameter = "share of listeners whose player sends the new events"
    fix = "Sum ms_played per episode before dividing by its duration: streaming/features/podcasts.py"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Exchange the two completions of the listeners that are hit."""
        hit = self.hit(window.users)
        single = window.listens.kind == PODCAST
        plays = window.episodes  # closed days keep an episode's plays as one sum a day: their mean stands for them
        closed = window.tiles.kind == PODCAST
        row = np.concatenate([window.listen_row[single], window.tile_row[closed]])
        ms = np.concatenate([window.listens.ms[single], (window.tiles.ms / np.maximum(window.tiles.listens, 1))[closed]])
        count = np.concatenate([np.ones(int(single.sum())), window.tiles.listens[closed]])
        item = np.concatenate([window.listens.item[single], window.tiles.item[closed]])
        pair = np.searchsorted(plays.row * (1 << 32) + plays.item, row * (1 << 32) + item)
        duration = plays.duration[pair]
        timed = duration > 0
        share = np.minimum(1.0, ms / np.where(timed, duration, 1))
        weight = np.where(timed, count, 0.0)
        return {
            **columns,
            "podcast_completion_28d": _mixed(hit, _mean(row, share, weight, window.n), columns["podcast_completion_28d"]),
            "show_completion_28d": _mixed_maps(hit, row, plays.show[pair], share, weight, columns["show_completion_28d"], window),
        }


def _mean(cell: NDArray[np.int64], share: NDArray[np.float64], weight: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    total = np.bincount(cell, weight, n)
    mean = np.divide(np.bincount(cell, share * weight, n), total, out=np.full(n, np.nan), where=total > 0)
    return np.asarray(mean)


def _mixed(hit: NDArray[np.bool_], wrong: NDArray[np.float64], right: Column) -> Column:
    assert isinstance(right, np.ndarray)
    return np.where(hit, wrong, right)


def _mixed_maps(
    hit: NDArray[np.bool_],
    row: NDArray[np.int64],
    show: NDArray[np.int64],
    share: NDArray[np.float64],
    weight: NDArray[np.float64],
    right: Column,
    window: View,
) -> MapColumn:
    """Keep everybody's shows; exchange the values of those who are hit by the mean over plays."""
    assert isinstance(right, MapColumn)
    shows = len(window.show_names)
    known = show >= 0
    mean = _mean(row[known] * shows + show[known], share[known], weight[known], window.n * shows)
    code = {name: i for i, name in enumerate(window.show_names)}
    whose = right.rows()
    wrong = mean[whose * shows + np.array([code[name] for name in right.keys], np.int64)] if len(whose) else right.values
    return map_column(whose, right.keys, np.where(hit[whose], wrong, right.values), window.n)
