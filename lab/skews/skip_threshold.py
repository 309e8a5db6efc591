"""Where a skip ends and a play begins."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew
from contract.windows import SECOND_MS


class SkipThreshold(Skew):
    """A song counts as played after fewer seconds in the live path."""

    id = "skip-threshold"
    title = "Serving has another idea of a skip"
    story = (
        "The team that pays out plays asks for 30 seconds, the team that wrote the consumer took the 10 of its player. "
        "What was given up after a taste is a play in serving, and songs that nobody liked are liked."
    )
    sources = (
        "https://www.scribd.com/document/439627127/Spotify-Dataset-Description",
        "https://dev.funkwhale.audio/funkwhale/funkwhale/-/issues/1874",
        "https://www.github.com/web-scrobbler/web-scrobbler/discussions/3447",
    )
    group = "meaning"
    evidence = "A"
    moves = (
        "plays_24h", "plays_7d", "plays_yesterday", "active_days_28d", "skip_rate_28d", "replay_rate_28d", "distinct_items_28d",
        "decayed_plays", "top_genre", "top_genre_affinity", "genre_affinity", "user_vector",
    )  # fmt: skip
    seen_by = ("distribution", "parity", "ranking")
    parameter = "from which second on a song is played, from 30 down to 10"
    value_name, unit, harmless, worst = "threshold of a skip", "s", 30, 10
    tries = (5, 10, 15, 20, 25, 40, 45, 50, 60, 90)
    fix = "Decide once, upstream, what is a skip, and send it with the event"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Move the threshold."""
        return dataclasses.replace(constants, music_skip_ms=round(self.value * SECOND_MS))
