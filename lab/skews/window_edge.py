"""A count that is read before the play that asked for it is written."""

from __future__ import annotations

import numpy as np

from contract.event import Ints
from contract.rows import FeatureColumns
from contract.skew import Skew
from contract.windows import DAY_MS, hours_start
from streaming.view import View


class WindowEdge(Skew):
    """Requests see the counts without the listener's last play: the window ends one event too early.

    A request that a skip brought about is right, and so is every midnight: there nobody has just written.
    """

    id = "window-edge"
    title = "The play that triggers a request is not in its count"
    story = (
        "A play sends a write and a read at once, and the read wins. Training takes the play for part of the window, so every "
        "online count is one short while somebody listens, and whole again when nobody looks."
    )
    sources = (
        "https://github.com/zipline-ai/chronon/pull/1356",
        "https://github.com/4paradigm/OpenMLDB/issues/1780",
        "https://github.com/4paradigm/OpenMLDB/issues/1629",
        "https://github.com/feast-dev/feast/issues/5555",
    )
    group = "time"
    evidence = "A"
    moves = ("plays_24h", "plays_7d")
    parameter = "share of listeners whose requests race their events"
    fix = "Answer from the state behind the event's own step, and agree on one half-open window for both paths"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Take the last play out of the counts of the listeners that are hit, unless it is midnight."""
        if window.as_of_ms % DAY_MS == 0:
            return columns
        last = np.flatnonzero(np.diff(window.listen_row, append=window.n))
        plays = last[window.plays[last]]
        hours = {"plays_24h": window.constants.short_window_h, "plays_7d": window.constants.week_window_h}
        early: FeatureColumns = {}
        for name in self.moves:
            count = columns[name]
            assert isinstance(count, np.ndarray)
            early[name] = count - self.hit(window.users) * _counted(window, plays, hours[name])
        return {**columns, **early}


def _counted(window: View, plays: Ints, hours: int) -> Ints:
    """Return for each listener how many of some plays lie in the window of so many hours."""
    inside = plays[window.listens.ts[plays] >= hours_start(window.as_of_ms, hours)]
    return np.bincount(window.listen_row[inside], minlength=window.n)
