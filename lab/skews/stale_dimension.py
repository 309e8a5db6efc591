"""A catalogue from before the newest releases."""

from __future__ import annotations

import dataclasses

import numpy as np

from contract.event import Ints
from contract.rows import FeatureColumns
from contract.skew import Skew
from contract.windows import DAY_MS
from streaming.facts import UNKNOWN, Facts
from streaming.view import View


class StaleDimension(Skew):
    """The live path's catalogue does not know what was released in its last days: no genre, no show. Vectors are of today.

    The simulated world releases nothing after day 0 and little in the months before, so its catalogue has to be a year old
    to do what one of some days does where new episodes come out every day.
    """

    id = "stale-dimension"
    title = "The catalogue in serving does not know new releases"
    story = (
        "The join with the catalogue is served from a cache that is filled at deployment, and nobody has deployed for long. "
        "What is new has no genre and no show, and who hears new episodes looks as if he heard nothing."
    )
    sources = ("https://developers.google.com/machine-learning/guides/rules-of-ml/",)
    group = "freshness"
    evidence = "A"
    moves = ("show_completion_28d", "show_listens_28d", "top_genre", "top_genre_affinity", "genre_affinity")
    seen_by = ("parity", "ranking")
    parameter = "age of the catalogue, up to 400 days"
    value_name, unit, worst = "age of the catalogue", "d", 400
    tries = (30, 60, 90, 120, 180, 270, 365, 400, 500, 600, 730)
    fix = "Publish the catalogue as a version, and let both paths name the one that they joined with"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Compute what depends on genre or show again, with the catalogue of that many days ago."""
        if self.value == 0:
            return columns
        heard = np.unique(np.concatenate([window.listens.item, window.tiles.item]))
        stale = window.again(facts=_as_of(window.facts, heard, window.as_of_ms - round(self.value * DAY_MS)))
        return {**columns, **{name: stale[name] for name in self.moves}}


def _as_of(facts: Facts, heard: Ints, at_ms: int) -> Facts:
    """Return the facts without those of the heard items that were released after an instant."""
    items = facts.version.catalogue.items
    found = ((code, items.get(facts.names[code])) for code in heard.tolist())
    fresh = [code for code, item in found if item is not None and (item.release_ms or 0) > at_ms]
    genre, show = facts.codes.genre.copy(), facts.codes.show.copy()
    genre[fresh] = show[fresh] = UNKNOWN
    return dataclasses.replace(facts, codes=facts.codes._replace(genre=genre, show=show))
