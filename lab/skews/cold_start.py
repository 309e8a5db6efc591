"""Reads that take too long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.skew import Skew
from streaming.tables import LISTENS
from streaming.view import View


class ColdStart(Skew):
    """Big values are not read in time: who has more listens in the window than some number has no row in serving.

    Missing rows at serving have two usual causes, listeners who are new and reads that time out. This is the second: here a
    listener has a row with his first listen, in both paths. The limit falls as one over the severity, since hardly anybody has
    many times the worst. No value moves.
    """

    id = "cold-start"
    title = "Reads of the busiest listeners time out"
    story = (
        "The service waits ten milliseconds for the features and goes on without them. The values that take longer are those "
        "of the listeners with the longest histories, whom the model would know best."
    )
    sources = ("https://taboola.com/engineering/discrepancy-solution", "https://github.com/feast-dev/feast/issues/278")
    group = "freshness"
    evidence = "A"
    moves = ()
    parameter = "the most listens that are read in time, 550 divided by the severity: one listener in twenty has more"
    value_name, unit, harmless, worst = "most listens", "", 100_000, 550
    scale = "inverse"
    tries = (200, 300, 400, 450, 500, 550, 600, 650, 700, 800, 1000)
    fix = "Bound the size of what is stored, and tell a read that failed from a listener whom nobody knows"

    def serves(self, served: NDArray[np.bool_], window: View) -> NDArray[np.bool_]:
        """Keep back the rows of those with more listens."""
        if self.value >= self.harmless:
            return served
        single = np.bincount(window.listen_row, minlength=window.n)
        closed = np.bincount(window.day_row, window.days.sums[:, LISTENS], window.n)
        return served & (single + closed <= self.value)
