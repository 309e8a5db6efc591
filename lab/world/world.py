"""A world, day by day. Day d covers [start + d days, start + (d + 1) days); history is the days before day 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np

from contract.catalogue import Catalogue
from contract.event import Events, Names
from contract.windows import DAY_MS, parse_instant
from lab.changes import Change, changed
from lab.world.chance import Floats, stream
from lab.world.collector import collected, in_order, malformed
from lab.world.listeners import Listeners, make_listeners
from lab.world.listening import begun
from lab.world.stock import Stock, make_stock

START = "2026-01-05"
"""Day 0 of every simulated world, a Monday."""
CARRY_DAYS = 5
"""How many days after its begin an event can still arrive: sittings over days, then 40 h offline, then a retry."""


class World:
    """A seeded world of ``users`` listeners; the same arguments give the same events, day by day or all at once."""

    def __init__(self, seed: int, users: int, *, history_days: int = 28, changes: Sequence[Change] = ()) -> None:
        self.seed = seed
        self.users = users
        self.history_days = history_days
        self.start_ms = parse_instant(START)
        self.changes = tuple(changes)
        """Controls that change what listeners do: (see ``Skew.world``)."""
        self._made = lru_cache(maxsize=CARRY_DAYS + 2)(self._make)

    @cached_property
    def stock(self) -> Stock:
        """What there is to hear."""
        return make_stock(self.seed, self.start_ms)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of all days."""
        return self.stock.catalogue

    @cached_property
    def listeners(self) -> Listeners:
        """Who listens."""
        return make_listeners(self.seed, self.users, self.stock, self.history_days)

    def midnight(self, day: int) -> int:
        """Return the instant at which a day begins."""
        return self.start_ms + day * DAY_MS

    def received(self, day: int) -> Events:
        """Return the events that the collector gets on a day, in the order in which it gets them."""
        start, end = self.midnight(day), self.midnight(day + 1)
        days = range(max(day - CARRY_DAYS, -self.history_days), day + 1)
        found = Events.concat([self._made(begin) for begin in days])
        today = in_order(found.take((found.received_at_ms >= start) & (found.received_at_ms < end)))
        return changed(today, day, self.changes)

    def malformed(self, day: int, partitions: int) -> list[tuple[int, int, bytes, bytes]]:
        """Return the bad records of a day: (arrival ms, partition, key, value)."""
        return malformed(stream(self.seed, "malformed", day), self.midnight(day), self.listeners, partitions)

    def relevance(self, day: int) -> tuple[Names, tuple[str, ...], Floats]:
        """Return listeners, shows and the truth (listeners, shows): how likely each finishes half an episode, once begun.

        Only listeners who have joined by the end of the day.
        """
        here = self.listeners.joined_day <= day
        return self.listeners.ids[here], self.stock.show_ids, self.listeners.liking[here]

    def _make(self, day: int) -> Events:
        rng = stream(self.seed, "day", day)
        listeners = self.listeners
        awake = rng.random(len(listeners)) >= listeners.idle
        active = np.flatnonzero(awake & (listeners.joined_day <= day))
        return collected(rng, day, begun(rng, self.midnight(day), active, listeners, self.stock), listeners, self.stock)
