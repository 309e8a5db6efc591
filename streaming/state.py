"""The listeners of a partition, each a state of some bytes: counting listens, and closing days that nothing reaches any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from contract.event import Ints
from contract.features import FeatureConstants
from contract.records import LATENESS_MS
from contract.windows import DAY_MS
from streaming.arrivals import Arrivals
from streaming.codec import STATE_VERSION, Bytes
from streaming.constants import Constants
from streaming.counting import close_days, count_listens, largest
from streaming.items import Items
from streaming.tables import SINGLES_DAYS, TILES_DAYS, room

EMPTY = bytes([STATE_VERSION, 0, 0, 0])
"""The state of somebody who has never listened."""


@dataclass
class States:
    """The listeners of one partition."""

    listeners: dict[str, bytes] = field(default_factory=dict)
    items: Items = field(default_factory=Items)

    def absorb(self, arrivals: Arrivals, constants: FeatureConstants) -> list[str]:
        """Count new listens and return the listeners with a *counted* one: of repeats the first counts."""
        if not arrivals.users:
            return []
        blob, starts = joined([self.listeners.get(user, EMPTY) for user in arrivals.users])
        tables = room(largest(blob, starts)[0] + int(np.diff(arrivals.starts).max()), 0, 0)  # nothing else is read
        out, ends, counted = count_listens(blob, starts, arrivals.listens, arrivals.starts, tables, Constants.of(constants))
        return self._replace(arrivals.users, out, ends, counted)

    def close_days(self, watermark_ms: int, constants: FeatureConstants) -> list[str]:
        """Turn listens of days that nothing can reach any more into tiles, drop what no window holds; return who changed."""
        if not self.listeners:
            return []
        users = list(self.listeners)
        blob, starts = joined(list(self.listeners.values()))
        horizon, oldest = watermark_ms - SINGLES_DAYS * DAY_MS, watermark_ms // DAY_MS - TILES_DAYS
        n, m, k = largest(blob, starts)
        tables = room(n, m + n, k + n)
        repeats = watermark_ms - LATENESS_MS
        out, ends, changed = close_days(blob, starts, horizon, repeats, oldest, tables, Constants.of(constants))
        return self._replace(users, out, ends, changed)

    def _replace(self, users: Sequence[str], out: Bytes, ends: Ints, which: np.ndarray) -> list[str]:
        """Give those that are picked their new states; a state without a byte is none."""
        whole, edges = out.tobytes(), ends.tolist()
        changed = []
        for i in np.flatnonzero(which).tolist():
            user, state = users[i], whole[edges[i] : edges[i + 1]]
            changed.append(user)
            if state:
                self.listeners[user] = state
            else:
                self.listeners.pop(user, None)
        return changed


def joined(states: Sequence[bytes]) -> tuple[Bytes, Ints]:
    """Put states one behind the other; return them and where each begins."""
    lengths = np.fromiter(map(len, states), np.int64, len(states))
    return np.frombuffer(b"".join(states), np.uint8), np.cumsum(lengths) - lengths
