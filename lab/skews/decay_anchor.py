"""A decayed sum that nobody discounts while nobody listens."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from contract.windows import HOUR_MS
from streaming.view import View


class DecayAnchor(Skew):
    """Decay stops at the listener's last listen: the sum was right when it was stored, and is read as if that were now."""

    id = "decay-anchor"
    title = "The decayed count is not discounted up to now"
    story = (
        "The store keeps a sum that every event discounts and adds to. Nobody discounts it at the read, so whoever has been "
        "away for a week comes back with the enthusiasm of the day he left."
    )
    sources = (
        "https://erikbern.com/2012/10/29/a-neat-little-trick-with-time-decay",
        "https://www.equifax.com/newsroom/all-news/-/story/credit-scoring-and-the-equifax-coding-issue",
        "https://consumerlawfirm.com/equifax-inaccurate-credit-scores/amp",
    )
    group = "time"
    evidence = "A"
    moves = ("decayed_plays",)
    parameter = "how much of the time since the last listen is left out, up to all of it"
    value_name = "share of the idle time"
    tries = (0.25, 0.5, 0.75, 1)
    fix = "Store the sum with its instant, and discount it from there to the instant that is asked for"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Give back the discount since the last listen."""
        decayed, recency = columns["decayed_plays"], columns["recency_hours"]
        assert isinstance(decayed, np.ndarray)
        assert isinstance(recency, np.ndarray)
        half_lives = recency * HOUR_MS / window.constants.half_life_ms
        return {**columns, "decayed_plays": decayed * np.exp2(self.value * half_lives)}
