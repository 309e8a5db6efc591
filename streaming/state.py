"""The listeners of a partition: counting events, and closing days that no event can reach any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contract.event import Events
from contract.features import FeatureConstants
from contract.windows import DAY_MS
from streaming.listens import replays
from streaming.tables import LISTEN, NEW, SINGLES_DAYS, TILES_DAYS, Listener, Table, changes, concat, split
from streaming.tiles import day_tiles, item_tiles


@dataclass
class Items:
    """Item ids as small integers, in order of first sight."""

    names: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def encode(self, names: Iterable[str]) -> NDArray[np.int32]:
        """Return the codes of some names; unseen ones get the next."""
        codes = self.codes
        found = [codes.setdefault(name, len(codes)) for name in names]
        self.names.extend(list(codes)[len(self.names) :])
        return np.array(found, np.int32)


@dataclass
class States:
    """The listeners of one partition."""

    listeners: dict[str, Listener] = field(default_factory=dict)
    items: Items = field(default_factory=Items)

    def absorb(self, events: Events, constants: FeatureConstants) -> list[str]:
        """Count new events and return the listeners with a *counted* one: duplicates count once, the first of them."""
        users, new_rows = _rows(events.user_id)
        states = [self.listeners.get(user, NEW) for user in users]
        old, old_rows = concat([state.listens for state in states], LISTEN)
        listens, row = np.concatenate([old, _encode(events, self.items)]), np.concatenate([old_rows, new_rows])
        order = np.lexsort((np.arange(len(row)), listens["id"], listens["ts"], row))
        listens, row = listens[order], row[order]
        first = changes(row, listens["ts"], listens["id"])
        counted = np.bincount(row[first & (order >= len(old))], minlength=len(users)) > 0
        listens, row = listens[first], row[first]
        listens["replay"] |= replays(listens, row, constants)
        for i, table in enumerate(split(listens, row, len(users))):
            if counted[i]:
                self.listeners[users[i]] = states[i]._replace(listens=table)
        return [user for user, new in zip(users, counted, strict=True) if new]

    def close_days(self, watermark_ms: int, constants: FeatureConstants) -> list[str]:
        """Turn listens of days that nothing can reach any more into tiles, drop what no window holds; return who changed."""
        horizon = watermark_ms - SINGLES_DAYS * DAY_MS
        oldest = watermark_ms // DAY_MS - TILES_DAYS
        users = [u for u, s in self.listeners.items() if _is_due(s, horizon, oldest)]
        if not users:
            return []
        states = [self.listeners[user] for user in users]
        due = [state.listens[: np.searchsorted(state.listens["ts"], horizon)] for state in states]
        listens, row = concat(due, LISTEN)
        tiles = split(*item_tiles(listens, row, constants), len(users))
        days = split(*day_tiles(listens, row, constants), len(users))
        for user, state, closed, new_tiles, new_days in zip(users, states, due, tiles, days, strict=True):
            self._keep(user, state, len(closed), new_tiles, new_days, oldest)
        return users

    def _keep(self, user: str, state: Listener, closed: int, tiles: Table, days: Table, oldest: int) -> None:
        all_tiles, all_days = np.concatenate([state.tiles, tiles]), np.concatenate([state.days, days])
        kept = Listener(state.listens[closed:].copy(), all_tiles[all_tiles["day"] >= oldest], all_days[all_days["day"] >= oldest])
        if len(kept.listens) or len(kept.days):
            self.listeners[user] = kept
        else:
            del self.listeners[user]


def _is_due(state: Listener, horizon: int, oldest: int) -> bool:
    listens, days = state.listens, state.days
    return bool((len(listens) and listens["ts"][0] < horizon) or (len(days) and days["day"][0] < oldest))


def _rows(users: NDArray[np.object_]) -> tuple[list[str], NDArray[np.int64]]:
    index: dict[str, int] = {}
    rows = np.array([index.setdefault(user, len(index)) for user in users], np.int64)
    return list(index), rows


def _encode(events: Events, items: Items) -> Table:
    listens = np.empty(len(events), LISTEN)
    listens["ts"], listens["ms"], listens["duration"] = events.ts_ms, events.ms_played, events.duration_ms
    listens["id"] = pd.util.hash_array(events.event_id, categorize=False)
    listens["item"] = items.encode(events.item_id)
    listens["utc_offset"], listens["kind"], listens["device"] = events.utc_offset_min, events.kind, events.device
    listens["replay"] = False
    return listens
