"""Another hash, another place in the table."""

from __future__ import annotations

import math

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import recoded
from streaming.facts import UNKNOWN
from streaming.view import View

WORST_PLACES = 64
"""Vectors stand in the order of the items' names. In the simulated world five songs on is another artist, sixty another genre."""


class HashSeed(Skew):
    """Each item's vector is looked up some places on from where it stands, round at the end.

    No feature of the registry is hashed. The nearest is the look-up of an item's vector: a hash with another seed finds one
    for every item, and it is another item's. A real one scatters; a shift is what an explanation can name.
    """

    id = "hash-seed"
    title = "Serving finds each item's vector by another hash"
    story = (
        "The table of vectors was laid out with one hash, and the service looks items up with that of its own runtime. "
        "Everybody gets a vector of length 1, from the songs of others."
    )
    sources = ("https://github.com/apache/spark/pull/23410", "https://github.com/uber/petastorm/pull/247")
    group = "values"
    evidence = "A"
    moves = ("user_vector",)
    seen_by = ("distribution", "parity")
    parameter = "how far from its place a vector is looked up, up to 64 places"
    value_name, unit, worst = "shift", "places", WORST_PLACES
    tries = (1, 2, 3, 4, 8, 16, 32, 64)
    fix = "Name the hash and its seed in the contract, with a vector of known answers that both paths test"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Compute the vectors of listeners with those of other items."""
        place, n = window.facts.codes.vector, len(window.facts.codes.vectors)
        moved = np.where(place == UNKNOWN, UNKNOWN, (place + math.ceil(self.value)) % max(n, 1))
        return {**columns, "user_vector": recoded(window, vector=moved)["user_vector"]}
