"""A control: the log is wrong before the paths part."""

from __future__ import annotations

import numpy as np

from contract.event import Events
from contract.skew import Skew

WORST_SHARE = 0.1
"""The share of sessions that a published case reports."""


class SharedCorruption(Skew):
    """Some clients report that nothing was played. Both paths count exactly that, and agree on values that are wrong."""

    id = "shared-corruption"
    title = "Control: both paths are fed the same fault"
    story = (
        "A release of the app loses the playing time of one listener in ten. It is a real fault and costs real quality, and "
        "parity is blind to it: it asks whether the paths say the same, not whether what they say is so."
    )
    side = "world"
    group = "control"
    evidence = "A"
    sources = (
        "https://www.uber.com/en-RO/blog/d3-an-automated-system-to-detect-data-drifts/",
        "https://blog.acolyer.org/2019/06/05/data-validation-for-machine-learning/",
    )
    moves = ()
    seen_by = ()
    parameter = "share of clients that report no playing time, up to 10 %"
    spread = WORST_SHARE
    fix = "Watch volume and ranges of the log itself, and each feature over time; a comparison of paths cannot see it"

    def world(self, events: Events, day: int) -> Events:
        """Lose what the clients that are hit have played."""
        return events.replace(ms_played=np.where(self.hit(events.user_id), 0, events.ms_played))
