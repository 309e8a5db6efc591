"""The listens of a step, as they are counted: by listener, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from contract.event import DEVICE_CODES, NO_DURATION, Event, Events, Ints
from streaming.items import Items
from streaming.tables import Listens


@dataclass(frozen=True)
class Arrivals:
    """Listens of n listeners; those of ``users[i]`` are ``[starts[i], starts[i + 1])``."""

    users: list[str]
    starts: Ints
    listens: Listens

    @staticmethod
    def of_records(events: Sequence[Event], items: Items) -> Arrivals:
        """Take decoded records over."""
        columns: dict[str, Any] = {
            "ts": np.array([e.ts_ms for e in events], np.int64),
            "id": _hashes([e.event_id for e in events]),
            "ms": np.array([e.ms_played for e in events], np.int64),
            "duration": np.array([e.duration_ms or 0 for e in events], np.int64),
            "item": items.encode(e.item_id for e in events),
            "utc_offset": np.array([e.utc_offset_min for e in events], np.int64),
            "kind": np.array([e.kind == "podcast" for e in events], np.int64),
            "device": np.array([DEVICE_CODES[e.device] for e in events], np.int64),
            "replay": np.zeros(len(events), np.int64),
        }
        return _by_listener([e.user_id for e in events], Listens(**columns))

    @staticmethod
    def of_batch(events: Events, items: Items) -> Arrivals:
        """Take a batch over that a skew may have changed: no number below 0 but for the offset."""
        duration = np.where(events.duration_ms == NO_DURATION, 0, events.duration_ms)
        columns: dict[str, Any] = {
            "ts": events.ts_ms.astype(np.int64),
            "id": _hashes(events.event_id),
            "ms": np.maximum(events.ms_played, 0).astype(np.int64),
            "duration": np.maximum(duration, 0).astype(np.int64),
            "item": items.encode(events.item_id),
            "utc_offset": events.utc_offset_min.astype(np.int64),
            "kind": events.kind.astype(np.int64),
            "device": events.device.astype(np.int64),
            "replay": np.zeros(len(events), np.int64),
        }
        return _by_listener(events.user_id, Listens(**columns))


def _by_listener(users: Iterable[str], listens: Listens) -> Arrivals:
    index: dict[str, int] = {}
    row = np.array([index.setdefault(user, len(index)) for user in users], np.int64)
    order = np.argsort(row, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(index)))])
    return Arrivals(list(index), starts, Listens._make(column[order] for column in listens))


def _hashes(names: Iterable[str]) -> Ints:
    """Return a 64-bit hash of each name, never 0."""
    column = np.empty(0, object) if not (found := list(names)) else np.array(found, object)
    hashes = pd.util.hash_array(column, categorize=False).view(np.int64)
    return np.where(hashes == 0, 1, hashes)
