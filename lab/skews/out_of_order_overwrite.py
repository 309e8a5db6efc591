"""The last write wins, though it is an older one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import Events
from contract.features import NAMES
from contract.skew import Skew


class OutOfOrderOverwrite(Skew):
    """Within a step an event overwrites what came before it of the same listener and happened later.

    The state that the late event was counted into did not know the newer events; being written last, it is the one that stays.
    """

    id = "out-of-order-overwrite"
    title = "An old event overwrites newer ones"
    story = (
        "Each event is counted into the state of its own instant, and the store keeps whatever is written last. When a phone "
        "hands in the morning in the evening, the afternoon is gone."
    )
    sources = ("https://github.com/feast-dev/feast/issues/5163", "https://github.com/feast-dev/feast/pull/273")
    group = "time"
    evidence = "A"
    moves = NAMES
    seen_by = ("parity", "ranking")
    parameter = "share of listeners whose state is written without a look at its instant"
    fix = "Count in a way that does not depend on the order, or compare instants before writing"

    def event(self, events: Events, partition: int) -> Events:
        """Drop the events behind which an earlier one of the same listener arrives in this batch."""
        return events.take(_survive(events) | ~self.hit(events.user_id))


def _survive(events: Events) -> NDArray[np.bool_]:
    """Tell which events are not later than any that arrives after them, listener by listener."""
    kept = np.ones(len(events), np.bool_)
    earliest: dict[str, int] = {}
    for i, (user, ts) in reversed(list(enumerate(zip(events.user_id.tolist(), events.ts_ms.tolist(), strict=True)))):
        earliest[user] = min(ts, earliest.get(user, ts))
        kept[i] = ts == earliest[user]
    return kept
