"""Another half-life."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew
from contract.windows import DAY_MS


class DecayHalfLife(Skew):
    """Plays fade faster in serving. Days that were closed before it began keep the decay that they were closed with."""

    id = "decay-half-life"
    title = "Plays fade in five days in serving, in seven in training"
    story = (
        "An experiment shortened the half-life in the stream and was switched off everywhere else. All values are smaller by "
        "about the same share, so whoever looks at the order of listeners sees nothing."
    )
    sources = ("https://github.com/twitter/the-algorithm",)
    group = "time"
    evidence = "C"
    moves = ("decayed_plays",)
    seen_by = ("distribution", "parity")
    parameter = "half-life, from 7 days down to 5"
    value_name, unit, harmless, worst = "half-life", "d", 7, 5
    tries = (1, 2, 3, 4, 5, 6, 8, 10, 14, 28)
    fix = "Take the half-life from the registry: half_life_ms, 7 days"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Exchange the half-life."""
        return dataclasses.replace(constants, half_life_ms=round(self.value * DAY_MS))
