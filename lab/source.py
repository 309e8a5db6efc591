"""Where a run's records come from: a simulated world, or an import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from contract.catalogue import Catalogue
from contract.event import Events, Names
from contract.records import encode, partition_of
from contract.rows import Floats
from contract.windows import DAY_MS
from lab.world import World
from streaming.log import Message

Truth = tuple[Names, tuple[str, ...], Floats]
"""Listeners, shows, and how likely each likes each."""


class Source(Protocol):
    """Days of records. Day d is received between ``midnight(d)`` and ``midnight(d + 1)``."""

    @property
    def days(self) -> int:
        """How many days there are to run."""

    @property
    def catalogue(self) -> Catalogue:
        """The items of all days."""

    def midnight(self, day: int) -> int:
        """Return the instant at which a day begins."""

    def history(self) -> Events:
        """Return the events before day 0, in the order in which they were received."""

    def messages(self, day: int, partitions: int) -> list[Message]:
        """Return a day's records in the order in which the collector got them, broken ones among them."""

    def has_night(self, day: int) -> bool:
        """Tell whether a night is run at the end of a day."""

    def truth(self, day: int) -> Truth | None:
        """Return the listeners' true preference at the end of a day, where anybody knows it."""


@dataclass(frozen=True)
class WorldSource:
    """A simulated world as a source."""

    world: World
    days: int

    @property
    def catalogue(self) -> Catalogue:
        """See ``Source``."""
        return self.world.catalogue

    def midnight(self, day: int) -> int:
        """See ``Source.midnight``."""
        return self.world.midnight(day)

    def history(self) -> Events:
        """See ``Source.history``."""
        return Events.concat([self.world.received(day) for day in range(-self.world.history_days, 0)])

    def messages(self, day: int, partitions: int) -> list[Message]:
        """See ``Source.messages``."""
        events = self.world.received(day)
        good = [
            (at, message) for at, message in zip(events.received_at_ms.tolist(), messages_of(events, partitions), strict=True)
        ]
        bad = [(at, (partition, key, value)) for at, partition, key, value in self.world.malformed(day, partitions)]
        return [message for _, message in sorted([*good, *bad], key=lambda pair: pair[0])]

    def has_night(self, day: int) -> bool:
        """See ``Source.has_night``."""
        return True

    def truth(self, day: int) -> Truth:
        """See ``Source.truth``."""
        return self.world.relevance(day)


def messages_of(events: Events, partitions: int) -> list[Message]:
    """Return events as the collector sends them."""
    return [(partition_of(e.user_id, partitions), e.user_id.encode(), encode(e)) for e in events.to_records()]


def days_between(first_ms: int, last_ms: int) -> int:
    """Return how many UTC days two instants touch."""
    return last_ms // DAY_MS - first_ms // DAY_MS + 1
