"""A training log that forgets skips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.features import FeatureConstants
from contract.skew import Skew

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WORST_SHARE = 0.3
"""The share of listeners whose skips are not logged at severity 1."""
_SLOTS = 1 << 20


class SamplingBias(Skew):
    """The batch path never sees the skips of some listeners, and gives no weight to what is left.

    Who they are depends on the seed and the name, by Spark's hash: others than those that ``hit`` names.
    """

    id = "sampling-bias"
    title = "The training log does not keep all skips"
    story = (
        "Skips are cheap and many, so the log of some clients leaves them out to save room. Training concludes that these "
        "listeners like whatever they are given; serving sees every skip."
    )
    sources = (
        "https://developers.google.com/machine-learning/guides/rules-of-ml/",
        "https://shagunsodhani.com/papers-I-read/Practical-Lessons-from-Predicting-Clicks-on-Ads-at-Facebook",
    )
    side = "batch"
    group = "volume"
    evidence = "A"
    moves = (
        "skip_rate_28d", "replay_rate_28d", "listen_minutes_28d", "completion_28d", "recency_hours", "sessions_7d",
        "session_minutes_7d", "night_share_28d", "phone_share_28d", "podcast_share_28d", "podcast_completion_28d",
        "show_completion_28d", "show_listens_28d", "top_genre", "top_genre_affinity", "genre_affinity", "user_vector",
    )  # fmt: skip
    seen_by = ("distribution", "parity", "ranking")
    parameter = "share of listeners whose skips are not logged, up to 30 %"
    spread = WORST_SHARE
    fix = "Weigh what a sample keeps by one over its rate, or keep everything that a feature counts"

    def batch_events(self, events: DataFrame) -> DataFrame:
        """Leave out the skips of the listeners that are hit."""
        from pyspark.sql import functions as F  # noqa: N812 (here, since whoever only reads the catalogue needs no Spark)

        constants = FeatureConstants()
        limit = F.when(F.col("kind") == "podcast", constants.podcast_skip_ms).otherwise(constants.music_skip_ms)
        slot = F.pmod(F.xxhash64(F.lit(f"{self.id}/{self.seed}"), "user_id"), F.lit(_SLOTS))
        return events.where((F.col("ms_played") >= limit) | (slot >= self.share * _SLOTS))
