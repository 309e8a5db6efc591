"""The rule for songs, applied to episodes."""

from __future__ import annotations

import dataclasses

from contract.features import FeatureConstants
from contract.skew import Skew
from contract.windows import SECOND_MS


class MusicLogicOnPodcasts(Skew):
    """An episode counts as played after the 30 seconds of a song, where training waits for 60."""

    id = "music-logic-on-podcasts"
    title = "Podcasts are skipped by the rule for music"
    story = (
        "The consumer was written when there were songs only. An episode that somebody tried for three quarters of a minute is "
        "a play in serving and a skip in training; only who tries podcasts shows it."
    )
    sources = (
        "https://podnews.net/update/spotify-measurement",
        "https://support.spotify.com/kh/creators/article/how-we-count-engagement-metrics/",
    )
    group = "meaning"
    evidence = "B"
    moves = (
        "plays_24h", "plays_7d", "plays_yesterday", "active_days_28d", "distinct_items_28d", "decayed_plays", "top_genre",
        "top_genre_affinity", "genre_affinity", "user_vector",
    )  # fmt: skip
    seen_by = ("parity", "ranking")
    parameter = "from which second on an episode is played, from 60 down to 30"
    value_name, unit, harmless, worst = "threshold of a podcast's skip", "s", 60, 30
    tries = (0, 10, 15, 30, 45, 90, 120)
    fix = "Key rules by kind, and let a kind without a rule fail"

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Move the threshold of podcasts."""
        return dataclasses.replace(constants, podcast_skip_ms=round(self.value * SECOND_MS))
