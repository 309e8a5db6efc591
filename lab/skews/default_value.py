"""Nothing known, served as zero."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import array, exchanged
from streaming.view import View

DEFAULT = 0.0


class DefaultValue(Skew):
    """A rate without anything to take it of is 0 in the live path, where the batch path leaves it null."""

    id = "default-value"
    title = "Nothing known is served as zero"
    story = (
        "Somebody who hears podcasts only has no skip rate. The client of the feature store fills the gap with 0, and the ranker "
        "takes a stranger to music for somebody who never skips."
    )
    sources = (
        "https://github.com/feast-dev/feast/issues/6715",
        "https://building.nubank.com.br/dealing-with-train-serve-skew-in-real-time-ml-models-a-short-guide/",
        "https://blog.acolyer.org/2019/06/05/data-validation-for-machine-learning/",
    )
    group = "values"
    evidence = "A"
    moves = ("skip_rate_28d", "replay_rate_28d", "completion_28d", "podcast_completion_28d")
    seen_by = ("distribution", "parity", "ranking")
    parameter = "share of listeners whose rows the client with the default reads"
    fix = "Make the default a part of the feature's definition, and tell the model apart what is missing"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Fill the nulls of the listeners that are hit."""
        filled = {name: np.nan_to_num(array(columns, name), nan=DEFAULT) for name in self.moves}
        return exchanged(columns, filled, self.moves, self.hit(window.users))
