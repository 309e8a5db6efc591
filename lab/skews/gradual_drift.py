"""A control: the world changes, and both paths see it."""

from __future__ import annotations

import numpy as np

from contract.event import MUSIC, Events
from contract.skew import Skew

PACE = 0.04
"""By how much of itself a song's playing time shrinks with each day at severity 1."""


class GradualDrift(Skew):
    """Listeners grow impatient: songs are left a little earlier every day. Drift is not skew; parity stays exact."""

    id = "gradual-drift"
    title = "Control: listeners change their ways"
    story = "Everybody leaves songs a little earlier, day by day. Both paths see the same world: no alarm of parity is right."
    side = "world"
    group = "control"
    evidence = "A"
    sources = ("https://developers.google.com/machine-learning/guides/rules-of-ml/",)
    moves = ()
    seen_by = ()
    parameter = "how fast playing times shrink, up to 4 % of the first day's a day"
    value_name, unit, worst = "shrinking", "of a day's playing time", PACE
    fix = "None: the model is retrained"

    def world(self, events: Events, day: int) -> Events:
        """Shorten what is played of songs."""
        left = max(1.0 - self.value * max(day, 0), 0.2)
        played = np.where(events.kind == MUSIC, (events.ms_played * left).astype(np.int64), events.ms_played)
        return events.replace(ms_played=played)
