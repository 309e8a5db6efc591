"""Where the live path's time goes: ``python -m lab.bench.stream_profile [EVENTS]`` profiles it over a topic, on Kafka and Redis.

One process, one warm-up stretch that is not profiled, then the consumer as it is. What is profiled is the thread that does the
steps; polling, which the consumer does in another, is not seen.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from contract.home import Home
from contract.skew import RawRecord
from lab.bench.lake import PARTITIONS
from lab.bench.stream_world import bench_home, listening, write_log
from lab.stack.embedded import open_embedded
from streaming.consumer import consume
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.step import Step

EVENTS_A_LISTENER = 10
SHOWN = 40


@dataclass
class ProfiledMember(Member):
    """A member that begins the profile after ``warm`` records and stops its consumer after ``events``."""

    warm: int = 0
    events: int = 0
    profile: cProfile.Profile = field(default_factory=cProfile.Profile)
    stop: threading.Event = field(default_factory=threading.Event)
    _done: int = 0

    def feed(self, partition: int, records: Sequence[RawRecord]) -> list[Step]:
        """See ``Member.feed``."""
        done = super().feed(partition, records)
        before, self._done = self._done, self._done + sum(step.next - step.first for step in done)
        if before < self.warm <= self._done:
            self.profile.enable()
        if self._done >= self.events:
            self.profile.disable()
            self.stop.set()
        return done


def profiled(events: int, folder: Path) -> cProfile.Profile:
    """Profile the live path over so many events; a tenth more comes before them as warm-up."""
    warm = events // 10
    found = listening(events // EVENTS_A_LISTENER, warm, PARTITIONS)
    home = Home(folder / "home")
    bench_home(home, found.world)
    with ExitStack() as opened:
        stack = open_embedded(folder, PARTITIONS)
        opened.callback(stack.stop)
        log, client = KafkaLog(stack.kafka, PARTITIONS), connect(stack.redis)
        opened.callback(client.close)
        opened.callback(log.close)
        write_log(log, found, warm + events)
        store = RedisStore(client)
        member = ProfiledMember(home, store, PARTITIONS, None, warm=warm, events=warm + events)
        consume(member, store, log, stack.kafka, member.stop)
    return member.profile


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        told = profiled(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, Path(place))
    pstats.Stats(told).sort_stats("tottime").print_stats(SHOWN)
