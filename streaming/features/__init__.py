"""All features of the registry, from the states of some listeners. One file a subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.event import Ints
from contract.features import FeatureConstants
from contract.rows import FeatureColumns
from streaming.codec import Bytes, lengths, read
from streaming.columns import Columns, by_feature, columns
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.counting import largest
from streaming.desk import Desk, desk
from streaming.facts import Codes, Facts
from streaming.features.listening import listening
from streaming.features.podcasts import podcasts
from streaming.features.sessions import sessions
from streaming.features.taste import taste
from streaming.state import joined
from streaming.tables import Tables, room
from streaming.window import open_window


@dataclass(frozen=True)
class Computed:
    """The features of those of some listeners who have a listen in the window; ``present`` tells who that is."""

    present: NDArray[np.bool_]
    columns: FeatureColumns


def compute(states: Sequence[bytes], as_of_ms: int, constants: FeatureConstants, facts: Facts) -> Computed:
    """Compute every feature of the registry as of an instant; ``facts`` must know all items of the states."""
    blob, starts = joined(states)
    n, m, k = largest(blob, starts)
    codes, genres, shows = facts.codes, len(facts.genres), len(facts.shows)
    out = columns(len(states), genres, codes.vectors.shape[1], _entries(blob, starts))
    room_to_work = desk(n + m, constants.month_window_d, len(codes.genre), genres, shows)
    present = _compute(blob, starts, as_of_ms, Constants.of(constants), codes, room(n, m, k), room_to_work, out)
    return Computed(present, by_feature(out, present, facts))


@compiled
def _entries(blob: Bytes, starts: Ints) -> int:
    """Return how many shows can be in all maps together: no more than there are listens and tiles."""
    count = 0
    for i in range(len(starts)):
        n, m, _, _ = lengths(blob, starts[i])
        count += n + m
    return count


@compiled
def _compute(
    blob: Bytes, starts: Ints, as_of_ms: int, constants: Constants, facts: Codes, tables: Tables, room_to_work: Desk, out: Columns
) -> NDArray[np.bool_]:
    """Fill a row of ``out`` for each state; return who has a listen in the window, the rows of the others mean nothing."""
    present = np.zeros(len(starts), np.bool_)
    for i in range(len(starts)):
        out.starts[i + 1] = out.starts[i]
        n, m, k = read(blob, starts[i], tables)
        window = open_window(tables, n, m, k, as_of_ms, constants)
        if window.end > window.first or window.end_day > window.first_day:
            present[i] = True
            listening(window, constants, room_to_work, out, i)
            sessions(window, constants, room_to_work, out, i)
            taste(window, constants, facts, room_to_work, out, i)
            out.starts[i + 1] = podcasts(window, facts, room_to_work, out, i, out.starts[i])
    return present
