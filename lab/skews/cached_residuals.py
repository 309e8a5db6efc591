"""Counts that are never set back to nothing."""

from __future__ import annotations

import numpy as np

from contract.event import Ints
from contract.rows import FeatureColumns
from contract.skew import Skew
from contract.windows import HOUR_MS
from streaming.view import View


class CachedResiduals(Skew):
    """Where a count of plays has become 0, the live path still tells what it was right after the listener's last play.

    That is as long as the state has his single plays, eleven days; somebody who has been away for longer has his 0.
    """

    id = "cached-residuals"
    title = "A count that became nothing keeps its last value"
    story = (
        "The job that fills the cache writes a row for whoever has plays in the window. Who has none gets no row, so the one "
        "from before stays, and the idle look as busy as they were when they left."
    )
    sources = ("https://careersatdoordash.com/blog/how-to-investigate-the-online-vs-offline-performance-for-dnn-models",)
    group = "freshness"
    evidence = "A"
    moves = ("plays_24h", "plays_7d")
    seen_by = ("distribution", "parity")
    parameter = "share of listeners whose rows nobody evicts"
    fix = "Write zeros too, or check at the read how old a row is"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Exchange the zeros of the listeners that are hit."""
        hours = {"plays_24h": window.constants.short_window_h, "plays_7d": window.constants.week_window_h}
        left: FeatureColumns = {}
        for name in self.moves:
            count = columns[name]
            assert isinstance(count, np.ndarray)
            left[name] = np.where(self.hit(window.users) & (count == 0), _then(window, hours[name]), count)
        return {**columns, **left}


def _then(window: View, hours: int) -> Ints:
    """Return each listener's plays in the window of so many hours as it was right after his last play."""
    ts, row = window.listens.ts[window.plays], window.listen_row[window.plays]
    last = np.zeros(window.n, np.int64)
    np.maximum.at(last, row, ts)
    start = (last + 1) // HOUR_MS * HOUR_MS - hours * HOUR_MS
    return np.bincount(row[ts >= start[row]], minlength=window.n)
