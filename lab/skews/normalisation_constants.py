"""Last month's scale under this month's values."""

from __future__ import annotations

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import array
from streaming.view import View


class NormalisationConstants(Skew):
    """The affinities as they come out of a scaler whose constant is not the one of training.

    No feature of the registry is scaled. The nearest is the vector of affinities, which both paths have in [0, 1] and which the
    ranker takes as a whole: here it is off by a factor. ``top_genre`` and its affinity do not pass the scaler.
    """

    id = "normalisation-constants"
    title = "Serving scales by another constant than training"
    story = (
        "The service keeps a scaler of its own and fits it to last month's traffic. Each listener's order of genres is right, "
        "and all of their affinities are too large by the same factor."
    )
    sources = (
        "https://docs.hopsworks.ai/latest/user_guides/fs/feature_view/model-dependent-transformations",
        "https://docs.hopsworks.ai/latest/concepts/mlops/data_transformations",
    )
    group = "values"
    evidence = "A"
    moves = ("genre_affinity",)
    seen_by = ("parity", "ranking")
    parameter = "by how much the affinities are too large, up to 15 %"
    value_name, unit, harmless, worst = "factor of the affinities", "", 1.0, 1.15
    tries = (0.5, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.2, 1.25, 1.5, 2.0)
    fix = "Store the constants with the model, and scale by them in one function for both paths"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Scale the affinities."""
        return {**columns, "genre_affinity": array(columns, "genre_affinity") * self.value}
