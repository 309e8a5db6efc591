"""Daily uniques that are added up."""

from __future__ import annotations

import numpy as np

from contract.event import Ints
from contract.rows import FeatureColumns
from contract.skew import Skew
from contract.windows import DAY_MS
from lab.skews.mixing import array
from streaming.view import View


class UniqueVsTotal(Skew):
    """Distinct items of 28 days as the sum of each day's distinct items: what is heard on two days counts twice."""

    id = "unique-vs-total"
    title = "Distinct items are added up day by day"
    story = (
        "The live path keeps a count of distinct items for each day and adds the days up. Counts add, sets do not: the songs "
        "that somebody loves are counted on every day anew."
    )
    sources = (
        "https://github.com/airbnb/chronon/blob/028699365b35fe96130114e845a92c0b99caeb35/docs/source/authoring_features/GroupBy.md",
    )
    group = "meaning"
    evidence = "A"
    moves = ("distinct_items_28d",)
    seen_by = ("distribution", "parity")
    parameter = "share of listeners whose count is kept so"
    fix = "Keep sets or a sketch of them by day, and merge those; the same sketch in both paths"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Exchange the count of the listeners that are hit."""
        total = np.bincount(_played_by_day(window), minlength=window.n)
        right = array(columns, "distinct_items_28d")
        return {**columns, "distinct_items_28d": np.where(self.hit(window.users), total, right)}


def _played_by_day(window: View) -> Ints:
    """Return whose each (listener, day, item) with a play is."""
    listens, tiles, played = window.listens, window.tiles, window.plays
    closed = tiles.tenths >= window.constants.play_tenths
    row = np.concatenate([window.listen_row[played], window.tile_row[closed]])
    day = np.concatenate([listens.ts[played] // DAY_MS, tiles.day[closed]])
    item = np.concatenate([listens.item[played], tiles.item[closed]])
    return np.asarray(np.unique(np.stack([row, day, item]), axis=1)[0])
