"""How soon again is again."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew
from contract.windows import HOUR_MS


class ReplayDefinition(Skew):
    """A song that is played again is a replay within another time.

    The state notes of a listen whether it is a replay when it is counted, so what was counted before the skew keeps its mark.
    """

    id = "replay-definition"
    title = "Serving counts replays within another time"
    story = (
        "Training calls it a replay if a song comes back within a day, serving if it comes back within the hour. Two sound "
        "definitions, and no listing of columns tells them apart. No published incident was found."
    )
    sources = ()
    group = "meaning"
    evidence = "C"
    moves = ("replay_rate_28d", "top_genre", "top_genre_affinity", "genre_affinity", "user_vector")
    parameter = "within which time a play again is a replay, from 24 hours down to 1"
    value_name, unit, harmless, worst = "time for a replay", "h", 24, 1
    tries = (1, 2, 3, 6, 12, 48, 72)
    fix = "Keep the time in one definition that both paths read"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Exchange the time."""
        return dataclasses.replace(constants, replay_window_ms=round(self.value * HOUR_MS))
