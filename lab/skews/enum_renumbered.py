"""Two codes that changed places."""

from __future__ import annotations

import math

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import recoded
from streaming.view import View

CODES = 16
"""How many genres the explanations look at: all of the simulated world."""
PAIRS = [(low, high) for high in range(1, CODES) for low in range(high)]
"""Pair 1 is that of the codes 0 and 1; a smaller catalogue has the first of them."""


class EnumRenumbered(Skew):
    """Two genres exchange their codes in the live path, which decodes with the table from before the renumbering."""

    id = "enum-renumbered"
    title = "Two genres have exchanged their codes"
    story = (
        "Somebody sorted the enum of genres. Producers have the new numbers, the consumer still has the old ones; every code is "
        "valid, and two kinds of music that are alike in number have swapped their listeners."
    )
    sources = (
        "https://protobuf.dev/best-practices/dos-donts",
        "https://chromium.googlesource.com/external/github.com/google/error-prone/+show/b4c55352f99aee460e730bd117fe2bf1234d4d2d/docs/bugpattern/ProtocolBufferOrdinal.md",
    )
    group = "values"
    evidence = "A"
    moves = ("top_genre", "genre_affinity")
    parameter = "on or off: at any severity above 0 the first two genres are exchanged"
    value_name = "exchanged pair of genres no."
    tries = tuple(range(1, len(PAIRS) + 1))
    fix = "Never use a number again; decode by name, and let the schema registry refuse what is not compatible"

    @property
    def told(self) -> str:
        """The two codes."""
        return "exchanged genre codes {} and {}".format(*PAIRS[math.ceil(self.value) - 1]) if self.value else ""

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Compute the genres with the two codes exchanged; those that the catalogue does not have, nobody exchanges."""
        pair = math.ceil(self.value)
        if not pair or max(PAIRS[pair - 1]) >= len(window.facts.genres):
            return columns
        table = np.arange(-1, len(window.facts.genres))
        first, second = PAIRS[pair - 1]
        table[[first + 1, second + 1]] = second, first
        other = recoded(window, genre=table[window.facts.codes.genre + 1])
        return {**columns, **{name: other[name] for name in self.moves}}
