"""The live path as a contender: ``streaming.consumer`` as ``skewlab stream`` runs it, with a member that notes each feed.

A feed is noted once its steps are in Redis: features, scores, states and rows, in atomic writes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.home import Home
from contract.skew import RawRecord
from lab.bench.stream_meter import Meter, begin, orders, tell
from streaming.consumer import consume
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.step import Step
from streaming.warm import load


@dataclass
class MeteredMember(Member):
    """A member that notes how many records it has written."""

    meter: Meter = field(default_factory=Meter)

    def feed(self, partition: int, records: Sequence[RawRecord]) -> list[Step]:
        """See ``Member.feed``."""
        done = super().feed(partition, records)
        self.meter.add(sum(step.next - step.first for step in done))
        return done


def main() -> None:
    """Consume until nobody waits any more."""
    told, stop = orders(), threading.Event()
    client, log = connect(told["redis"]), KafkaLog(told["kafka"], told["partitions"])
    store = RedisStore(client)
    member = MeteredMember(Home(Path(told["home"])), store, told["partitions"], None, served_share=told["served_share"])
    load()
    begin(stop.set)
    consume(member, store, log, told["kafka"], stop)
    log.close()
    client.close()
    tell({"marks": member.meter.marks})


if __name__ == "__main__":
    main()
