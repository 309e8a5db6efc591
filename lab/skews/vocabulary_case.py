"""A label that is spelt otherwise where it is looked up."""

from __future__ import annotations

import re

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import exchanged, recoded
from streaming.facts import UNKNOWN
from streaming.view import View

PLAIN = re.compile(r"[a-z]+")
"""What every normaliser leaves as it is; of any other label some make something else: 'hip-hop', 'Ska', 'chanson française'."""


class VocabularyCase(Skew):
    """Genres whose label is not of plain small letters are not found in the live path's vocabulary.

    Items of such a genre count as items without one. In a catalogue that has plain labels only, it does nothing.
    """

    id = "vocabulary-case"
    title = "Serving does not find labels that it normalises otherwise"
    story = (
        "One component keeps the hyphen of hip-hop, another makes a space of it, and the look-up in serving finds nothing. "
        "Most labels are spelt alike everywhere, so only the listeners of a few genres lose one."
    )
    sources = (
        "https://github.com/career-ops-hq/career-ops/pull/2705",
        "https://github.com/ifrederico/forkluck/issues/101",
        "https://github.com/goodmami/wn/issues/233",
    )
    group = "values"
    evidence = "A"
    moves = ("top_genre", "top_genre_affinity", "genre_affinity")
    seen_by = ("distribution", "parity")
    parameter = "share of listeners whose service has the other normaliser"
    fix = "Pass codes instead of labels, or normalise once, before the paths part"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Compute the genres of the listeners that are hit with the odd labels lost."""
        plain = [PLAIN.fullmatch(genre) is not None for genre in window.facts.genres]
        genre = window.facts.codes.genre
        found = np.isin(genre, np.flatnonzero(plain))
        without = recoded(window, genre=np.where(found, genre, UNKNOWN))
        return exchanged(columns, without, self.moves, self.hit(window.users))
