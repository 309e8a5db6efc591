"""Two trainings of one embedding, side by side."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import recoded
from streaming.view import View


class EmbeddingVersion(Skew):
    """A listener's vector is computed with item vectors of another training than the version names.

    There is no second model at hand. The nearest is the version's own vectors in a turned space, each component one place on:
    every length and every angle among them is what it was, as after a training from another start. Between 0 and 1 the two are
    mixed, as where a training goes on from the last one.
    """

    id = "embedding-version"
    title = "Listeners and items are embedded by two trainings"
    story = (
        "New vectors of items are rolled out shelf by shelf, while the service that makes the listeners' has loaded the ones "
        "before. All of them look like vectors of that model, and a product of two means nothing."
    )
    sources = (
        "https://sysdesign-wiki.pages.dev/concepts/embedding-version-skew/",
        "https://arxiv.org/html/2508.07574v1",
    )
    group = "model"
    evidence = "A"
    moves = ("user_vector",)
    seen_by = ("distribution", "parity")
    parameter = "how far the other training has turned the space; at 1 each component stands one place on"
    value_name, worst = "share of the other training", 1.0
    tries = (0.1, 0.25, 0.5, 0.75, 1.0)
    fix = "Put the version into the key, refuse products across versions, and change all vectors in one move"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Compute the listeners' vectors with the other training's."""
        vectors = window.facts.codes.vectors
        other = (1 - self.value) * vectors + self.value * np.roll(vectors, 1, axis=1)
        return {**columns, "user_vector": recoded(window, vectors=other)["user_vector"]}
