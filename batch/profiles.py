"""How each listener listens, told by the items: what was skipped, what was played again, which genre is liked best.

The rates count *items*, not listens: a song heard ten times is one song. That is what a class counts on paper; the registry's
``skip_rate_28d`` counts listens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from batch.engagement import Engagement
from contract.catalogue import Catalogue
from contract.event import Names
from contract.features import FeatureConstants
from contract.rows import Floats


@dataclass(frozen=True)
class Profiles:
    """Columns of shape (n,), aligned with the listeners of an engagement.

    ``skip_rate`` and ``replay_rate`` are NaN for a listener without an item; ``top_genre`` is None and
    ``top_genre_affinity`` NaN for one without an item of a known genre.
    """

    skip_rate: Floats
    replay_rate: Floats
    top_genre: Names
    top_genre_affinity: Floats


def profiles(heard: Engagement, catalogue: Catalogue, constants: FeatureConstants) -> Profiles:
    """Tell how each listener of an engagement listens."""
    matrix = heard.matrix
    items = np.diff(matrix.indptr)
    tenths = np.rint(matrix.data * 10).astype(np.int64)
    row = np.repeat(np.arange(matrix.shape[0]), items)
    genre, affinity = _top_genre(heard, catalogue)
    return Profiles(
        skip_rate=_rate(row[tenths <= constants.skip_tenths], items),
        replay_rate=_rate(row[tenths >= constants.replay_tenths], items),
        top_genre=genre,
        top_genre_affinity=affinity,
    )


def _rate(rows: np.ndarray, items: np.ndarray) -> Floats:
    count = np.bincount(rows, minlength=len(items))
    return np.asarray(np.divide(count, items, out=np.full(len(items), np.nan), where=items > 0))


def _top_genre(heard: Engagement, catalogue: Catalogue) -> tuple[Names, Floats]:
    """Return the genre with the highest mean engagement, the first by code point of equals; and that mean."""
    place = {genre: code for code, genre in enumerate(catalogue.genres)}
    known = [(j, place[g]) for j, item in enumerate(heard.items) if (g := _genre(catalogue, item)) is not None]
    n, width = len(heard.users), len(place)
    of_genre = csr_array((np.ones(len(known)), ([j for j, _ in known], [g for _, g in known])), (len(heard.items), width))
    tenths = heard.matrix.copy()
    tenths.data = np.rint(tenths.data * 10)
    there = heard.matrix.copy()
    there.data = np.ones_like(there.data)
    total, count = (tenths @ of_genre).toarray(), (there @ of_genre).toarray()
    mean = np.divide(total, 10 * count, out=np.full((n, width), -1.0), where=count > 0)
    names = np.array([*catalogue.genres, None], object)
    some = count.any(axis=1)
    best = mean.argmax(axis=1) if width else np.zeros(n, np.int64)
    return names[np.where(some, best, width)], np.where(some, mean.max(axis=1, initial=-1.0), np.nan)


def _genre(catalogue: Catalogue, item: str) -> str | None:
    found = catalogue.items.get(item)
    return found.effective_genre if found else None
