"""The feature columns of some listeners, as the compiled functions fill them and as everybody else reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.event import Ints
from contract.rows import FeatureColumns, Floats, MapColumn
from streaming.compiled import compiled
from streaming.facts import Facts


class Columns(NamedTuple):
    """n rows. The maps by show are entries: those of row i are ``[starts[i], starts[i + 1])``."""

    plays_24h: Ints
    plays_7d: Ints
    plays_yesterday: Ints
    active_days_28d: Ints
    distinct_items_28d: Ints
    sessions_7d: Ints
    skip_rate_28d: Floats
    replay_rate_28d: Floats
    listen_minutes_28d: Floats
    completion_28d: Floats
    recency_hours: Floats
    decayed_plays: Floats
    session_minutes_7d: Floats
    night_share_28d: Floats
    phone_share_28d: Floats
    podcast_share_28d: Floats
    podcast_completion_28d: Floats
    top_genre: Ints
    top_genre_affinity: Floats
    genre_affinity: Floats
    user_vector: Floats
    starts: Ints
    show: Ints
    show_listens: Ints
    show_completion: Floats


_COUNTS = Columns._fields[:6]
_NUMBERS = Columns._fields[6:17]


@compiled
def share(part: float, whole: float) -> float:
    """Return a part of a whole; NaN, the null of a number, where the whole is 0."""
    return part / whole if whole != 0 else np.nan


def columns(n: int, genres: int, rank: int, entries: int) -> Columns:
    """Make columns for n rows with up to so many entries in their maps."""
    integers = {name: np.empty(n, np.int64) for name in (*_COUNTS, "top_genre")}
    numbers = {name: np.empty(n) for name in (*_NUMBERS, "top_genre_affinity")}
    every: dict[str, Any] = {**integers, **numbers}
    return Columns(
        **every,
        genre_affinity=np.empty((n, genres)),
        user_vector=np.empty((n, max(rank, 1))),
        starts=np.zeros(n + 1, np.int64),
        show=np.empty(entries, np.int64),
        show_listens=np.empty(entries, np.int64),
        show_completion=np.empty(entries),
    )


def by_feature(found: Columns, which: NDArray[np.bool_], facts: Facts) -> FeatureColumns:
    """Return the rows that a mask picks as columns by the features' names."""
    names = (*_COUNTS, *_NUMBERS, "top_genre_affinity", "genre_affinity", "user_vector")
    plain = {name: getattr(found, name)[which] for name in names}
    shows, genres = np.array(facts.shows, object), np.array([*facts.genres, None], object)
    counts = np.diff(found.starts)[which]
    starts, end = np.concatenate([[0], np.cumsum(counts)]), found.starts[-1]
    show, listens, completion = found.show[:end], found.show_listens[:end], found.show_completion[:end]
    timed = ~np.isnan(completion)
    timed_before = np.concatenate([[0], np.cumsum(timed)])[starts]
    return {
        **plain,
        "top_genre": genres[found.top_genre[which]],
        "show_completion_28d": MapColumn(timed_before, shows[show[timed]], completion[timed], show[timed], facts.shows),
        "show_listens_28d": MapColumn(starts, shows[show], listens, show, facts.shows),
    }
