"""Devices whose clock is wrong."""

from __future__ import annotations

import numpy as np

from contract.event import LAST_MS, Events
from contract.features import NAMES
from contract.skew import Skew
from contract.windows import HOUR_MS

SHARE = 0.05
"""The share of clients whose clock is wrong."""


class ClockSkew(Skew):
    """The live path believes the clocks of some clients that the batch path has corrected.

    What lies in the future counts once that is there. What is moved into the past stays far from the days that are closed: an
    event is at most two days late, single listens are kept for eleven. A retry that comes after its event's id was forgotten,
    36 h late and more with a clock of 12 h, is counted again.
    """

    id = "clock-skew"
    title = "Some devices' clocks are wrong, and serving believes them"
    story = (
        "The collector works out when something happened from its own clock and the two stamps of the device. The stream takes "
        "the device's word, and for one client in twenty this evening is still to come."
    )
    sources = ("https://docs.snowplow.io/docs/events/timestamps",)
    group = "time"
    evidence = "A"
    moves = NAMES
    parameter = "hours that the clocks of 5 % of the clients are ahead, up to 3"
    value_name, unit, worst, spread = "clock ahead", "h", 3, SHARE
    tries = (-12, -9, -8, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 8, 9, 12)
    fix = "Correct instants once, before the paths part: received - (sent - created)"

    def event(self, events: Events, partition: int) -> Events:
        """Move the instants of the clients that are hit."""
        moved = np.clip(events.ts_ms + round(self.value * HOUR_MS), 0, LAST_MS)
        return events.replace(ts_ms=np.where(self.hit(events.user_id), moved, events.ts_ms))
