"""Two columns of a vector that is built by position."""

from __future__ import annotations

import math
from itertools import combinations

from contract.rows import FeatureColumns
from contract.skew import Skew
from streaming.view import View

SHARES = (
    "completion_28d", "podcast_completion_28d", "podcast_share_28d", "skip_rate_28d", "replay_rate_28d", "night_share_28d",
    "phone_share_28d", "top_genre_affinity",
)  # fmt: skip
"""The numbers that lie in [0, 1], those that look most alike first."""
PAIRS = list(combinations(SHARES, 2))


class ColumnSwap(Skew):
    """Two features exchange their places: same type, same range, another meaning."""

    id = "column-swap"
    title = "Two features are exchanged"
    story = (
        "The service packs features into an array, in the order of a list. One release has the list in another order than "
        "the model was trained with, and both values lie between 0 and 1 as they should."
    )
    sources = (
        "https://github.com/dmlc/xgboost/issues/8357",
        "https://github.com/dmlc/xgboost/issues/2857",
        "https://spark.apache.org/docs/3.2.0/api/python/reference/api/pyspark.sql.DataFrame.unionByName.html",
    )
    group = "values"
    evidence = "A"
    moves = SHARES
    seen_by = ("distribution", "parity", "ranking")
    parameter = "on or off: at any severity above 0 the completions of songs and of podcasts are exchanged"
    value_name = "exchanged pair of features no."
    tries = tuple(range(1, len(PAIRS) + 1))
    fix = "Pass features by name, and keep a hash of their list with the model"

    @property
    def told(self) -> str:
        """The two features."""
        return " exchanged with ".join(PAIRS[math.ceil(self.value) - 1]) if self.value else ""

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Exchange the two columns."""
        if not self.value:
            return columns
        first, second = PAIRS[math.ceil(self.value) - 1]
        return {**columns, first: columns[second], second: columns[first]}
