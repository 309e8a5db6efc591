"""A category that nobody knows, taken for one that there is."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import exchanged, recoded
from streaming.facts import UNKNOWN
from streaming.view import View

FIRST_GENRE = 0
"""The code that a look-up with a default of 0 gives: in the simulated world it is ambient."""


class OovBucket(Skew):
    """Items without a known genre fall into the first genre, where the batch path leaves them out.

    In the simulated world about 3 % of the songs have no genre.
    """

    id = "oov-bucket"
    title = "What has no known genre counts as the first one"
    story = (
        "The encoder in serving starts with zeros and writes the codes that it finds. Whatever is out of its vocabulary stays "
        "at 0, and 0 is a genre: it gains what belongs to none, and no value is out of place."
    )
    sources = (
        "https://taboola.com/engineering/discrepancy-solution",
        "https://github.com/lightgbm-org/LightGBM/issues/1936",
        "https://github.com/lightgbm-org/LightGBM/issues/5902",
    )
    group = "values"
    evidence = "A"
    moves = ("top_genre", "top_genre_affinity", "genre_affinity")
    seen_by = ("distribution", "parity")
    parameter = "share of listeners whose service has that encoder"
    fix = "Ship the vocabulary with the model, and in it a code for what is out of it"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Compute the genres of the listeners that are hit with the bucket; without any genre there is none."""
        if not window.facts.genres:
            return columns
        genre = window.facts.codes.genre
        bucketed = recoded(window, genre=np.where(genre == UNKNOWN, FIRST_GENRE, genre))
        return exchanged(columns, bucketed, self.moves, self.hit(window.users))
