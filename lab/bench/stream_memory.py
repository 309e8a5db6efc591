"""Memory over many events: a member in this process, fed day by day, with Redis as its store and nobody reading its outbox.

Listeners' states are full after ``FILL_DAYS``; what the process grows by from then on is what it loses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import psutil
import redis

from contract.home import Home
from contract.keys import key
from contract.records import Activation, Control, Watermark, encode
from contract.skew import RawRecord
from lab.bench.lake import SEED
from lab.bench.stream_meter import begin, orders, tell
from lab.bench.stream_world import VERSION
from lab.source import messages_of
from lab.world import World
from streaming.kafka_log import FETCH_RECORDS
from streaming.log import Message
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.relay import relay
from streaming.store import Store
from streaming.tables import TILES_DAYS

FILL_DAYS = TILES_DAYS + 2
ENDS = 5
"""Growth is taken from the median of so many days at the begin to that of so many at the end."""


class Nowhere:
    """A log that takes all and keeps nothing: the relay empties the outbox into it."""

    def append(self, topic: str, messages: Iterable[Message]) -> None:
        """See ``Log.append``."""

    def read(self, topic: str, positions: Mapping[int, int]) -> dict[int, list[RawRecord]]:
        """See ``Log.read``."""
        return {}

    def ends(self, topic: str) -> dict[int, int]:
        """See ``Log.ends``."""
        return {}


class Feed:
    """A member that owns all partitions of a log that is never written down."""

    def __init__(self, member: Member, store: Store) -> None:
        self._member, self._store = member, store
        self._next = [member.take_over(partition) for partition in range(member.partitions)]

    def control(self, record: Control) -> None:
        """Feed a control record to all partitions."""
        self.messages([(partition, None, encode(record)) for partition in range(self._member.partitions)])

    def messages(self, messages: list[Message]) -> None:
        """Feed messages as polls would bring them."""
        for partition in range(self._member.partitions):
            mine = [(name, value) for place, name, value in messages if place == partition]
            for start in range(0, len(mine), FETCH_RECORDS):
                part, at = mine[start : start + FETCH_RECORDS], self._next[partition]
                self._member.feed(partition, [RawRecord(at + i, name, value) for i, (name, value) in enumerate(part)])
                self._next[partition] = at + len(part)
        relay(self._store, Nowhere(), self._member.owned())


def main() -> None:
    """Feed days until so many events came behind the filling; tell the growth and how large the states are."""
    told = orders()
    client = connect(told["redis"])
    store, partitions = RedisStore(client), told["partitions"]
    member = Member(Home(Path(told["home"])), store, partitions, None, served_share=told["served_share"])
    world = World(SEED, told["listeners"], history_days=0)
    begin()
    feed = Feed(member, store)
    feed.control(Activation(VERSION))
    events, day, resident = 0, 0, list[int]()
    while events < told["events"] or len(resident) < 2 * ENDS:
        found = world.received(day)
        feed.messages(messages_of(found, partitions))
        day += 1
        feed.control(Watermark(world.midnight(day)))
        if day > FILL_DAYS:
            events += len(found)
            resident.append(psutil.Process().memory_info().rss)
    states, rows = _stored(client, partitions)
    tell(
        {
            "events": events,
            "days": day,
            "growth_mb": float(np.median(resident[-ENDS:]) - np.median(resident[:ENDS])) / 1e6,
            "resident_mb": resident[-1] / 1e6,
            "active": len(states),
            "state_bytes_median": float(np.median(states)),
            "state_bytes_p99": float(np.percentile(states, 99)),
            "row_bytes_median": float(np.median(rows)),
        }
    )


def _stored(client: redis.Redis, partitions: int) -> tuple[list[int], list[int]]:
    """Return the lengths of states and rows of those who have a listen in the window: who has none has no row."""
    states, rows = [], []
    for partition in range(partitions):
        found, mine = (cast(dict[bytes, bytes], client.hgetall(key(partition, name))) for name in ("state", "rows"))
        states += [len(found[user]) for user in mine]
        rows += [len(row) for row in mine.values()]
    return states, rows


if __name__ == "__main__":
    main()
