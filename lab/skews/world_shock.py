"""A control: from one day on everybody listens otherwise, and both paths see it."""

from __future__ import annotations

import numpy as np

from contract.event import DEVICES, MUSIC, Events
from contract.skew import Skew

SPEAKER = DEVICES.index("speaker")


class WorldShock(Skew):
    """At once listeners stay at home: they hear from a speaker, and give songs up halfway. Both paths count the same events."""

    id = "world-shock"
    title = "Control: the world changes overnight"
    story = (
        "What was learnt about commuters does not hold for people at home. The model does get worse, and every monitor of "
        "drift should say so; but the paths agree on each value, and parity has nothing to tell."
    )
    side = "world"
    group = "control"
    evidence = "A"
    sources = ("https://medicalbillingblog.omnimd.com/how-instacart-fixed-its-a-i-and-keeps-up-with-the-coronavirus-pandemic/",)
    moves = ()
    seen_by = ()
    parameter = "share of listeners who stay at home from the first day on"
    fix = "None between the paths: train on days after the shock"

    def world(self, events: Events, day: int) -> Events:
        """Change the device of those who stay at home, and halve what they play of songs."""
        hit = self.hit(events.user_id)
        played = np.where(hit & (events.kind == MUSIC), events.ms_played // 2, events.ms_played)
        return events.replace(ms_played=played, device=np.where(hit, SPEAKER, events.device).astype(np.uint8))
