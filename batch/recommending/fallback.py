"""What is recommended without a taste: what is popular around, or something else by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from batch.neighbours import Ints, best
from batch.recommending.block import Block
from batch.recommending.crowd import Crowd
from batch.recommending.shelf import Clause, Shelf
from contract.recommendation import FOR_YOU, POPULAR, SOMETHING_ELSE

SHOWN = 20
FEW = 5
"""A country of fewer listeners says nothing of what is popular there."""


def popular(crowd: Crowd, places: Sequence[str | None]) -> Shelf:
    """Return what is enjoyed most in each listener's country, by summed engagement over its listeners; a shelf of (b, SHOWN).

    Everybody counts where the country is None or has fewer than ``FEW`` listeners who have heard something.
    """
    lists = {place: _favourites(crowd, place) for place in {*places}}
    items, scores, share = (np.array([lists[place][i] for place in places]).reshape(-1, SHOWN) for i in range(3))
    about = np.array([[lists[place][3]] * SHOWN for place in places], object).reshape(-1, SHOWN)
    return Shelf(FOR_YOU, items, scores, (Clause(POPULAR, items >= 0, about, share),))


def _favourites(crowd: Crowd, place: str | None) -> tuple[Ints, np.ndarray, np.ndarray, str]:
    heard = np.diff(crowd.heard.matrix.indptr) > 0
    here = np.array([place is not None and crowd.heard.country.get(user) == place for user in crowd.heard.users], bool) & heard
    around = here.sum() >= FEW
    part = crowd.engaged[np.flatnonzero(here if around else heard)]
    plays = np.bincount(part.indices[part.data > crowd.skipped], minlength=part.shape[1])
    liked = np.where(plays > 0, np.asarray(part.sum(axis=0)).reshape(-1), 0.0)
    items, scores = best(liked[None, :], SHOWN)
    return items[0], scores[0], plays[items[0]] / max(part.shape[0], 1), place or "" if around else ""


def something_else(block: Block) -> Shelf:
    """Return what others enjoy, in an order by chance, what the listener has not heard before what they skipped."""
    enjoyed = block.crowd.engagement > 0
    value = np.where(enjoyed, np.where(block.own == 0, 1.0, 0.0) + block.chance / 2, 0.0)
    items, scores = best(np.where(block.open_to, value, 0.0), SHOWN)
    return Shelf(FOR_YOU, items, scores, (Clause(SOMETHING_ELSE, items >= 0),))
