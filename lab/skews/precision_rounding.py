"""A few digits less."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import array
from streaming.view import View

HARMLESS_DECIMALS, WORST_DECIMALS = 7, 1
"""A share of one half rounded to seven decimals is off by 1e-7 of itself at most: within the monitor's tolerance of 1e-6."""


class PrecisionRounding(Skew):
    """Numbers with a fraction are rounded before they are stored. Vectors and maps are not."""

    id = "precision-rounding"
    title = "Serving rounds what training does not"
    story = (
        "To save memory the writer of the feature store rounds each number. Nobody sees a difference on a dashboard of two "
        "decimals; a tree that splits at 0.1487 does, and small rates become 0."
    )
    sources = (
        "https://onnx.ai/sklearn-onnx/auto_tutorial/plot_ebegin_float_double.html",
        "https://spark.apache.org/docs/3.4.0/api/python/reference/pyspark.sql/api/pyspark.sql.functions.round.html",
        "https://spark.apache.org/docs/3.4.0/api/python/reference/pyspark.sql/api/pyspark.sql.functions.bround.html",
        "https://github.com/pandas-dev/pandas/issues/60914",
    )
    group = "values"
    evidence = "A"
    moves = (
        "skip_rate_28d", "replay_rate_28d", "listen_minutes_28d", "completion_28d", "recency_hours", "decayed_plays",
        "session_minutes_7d", "night_share_28d", "phone_share_28d", "podcast_share_28d", "podcast_completion_28d",
        "top_genre_affinity",
    )  # fmt: skip
    seen_by = ("distribution", "parity", "ranking")
    parameter = "how few decimals are kept, down to 1; at 7 nothing is rounded"
    value_name, unit, harmless, worst = "rounding to", "decimals", HARMLESS_DECIMALS, WORST_DECIMALS
    tries = (1, 2, 3, 4)
    fix = "Store what was computed, in the type it was computed in; round once, for people"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Round half to even, as NumPy does."""
        if self.value >= self.harmless:
            return columns
        return {**columns, **{name: np.round(array(columns, name), round(self.value)) for name in self.moves}}
