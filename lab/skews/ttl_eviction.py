"""Rows that expire before the window does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.skew import Skew
from streaming.view import View

LONGEST_H = 29 * 24
"""Nobody with a row has been idle for longer: 28 days up to a midnight, and the day since."""


class TtlEviction(Skew):
    """Who has not listened for some hours has no row in serving. The batch path keeps a row for 28 days.

    No value moves: rows are missing, those of the idle.
    """

    id = "ttl-eviction"
    title = "Rows of idle listeners expire"
    story = (
        "Keys in the store live for three days, which saves memory and suits whoever listens daily. The others come back to a "
        "service that takes them for strangers, and were regulars in training."
    )
    sources = (
        "https://github.com/feast-dev/feast/issues/6821",
        "https://github.com/feast-dev/feast/issues/1802",
        "https://github.com/4paradigm/OpenMLDB/issues/2256",
        "https://redis.io/docs/latest/develop/reference/eviction/",
    )
    group = "freshness"
    evidence = "A"
    moves = ()
    seen_by = ("distribution", "parity")
    parameter = "time to live, from longer than the windows down to 72 hours"
    value_name, unit, harmless, worst = "time to live", "h", LONGEST_H, 72
    tries = (12, 24, 48, 72, 120, 168, 240, 336)
    fix = "Let rows live for as long as the longest window, and raise an alarm when keys are evicted"

    def serves(self, served: NDArray[np.bool_], window: View) -> NDArray[np.bool_]:
        """Keep back the rows of those who have been idle for longer."""
        idle = window.again()["recency_hours"]
        assert isinstance(idle, np.ndarray)
        return served & (idle <= self.value)
