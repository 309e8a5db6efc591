"""``skewlab bench stream``: the live path on a real Kafka and a real Redis, against the client alone and against Quix Streams.

One topic is written once; each contender is a process of its own and reads it from the start, one after another, round by round:

1. kafka-python's poll and the decoding of each value: the ceiling of the client;
2. Quix Streams, a plain count and mean for each listener, by its own sink;
3. the live path: features, scores and rows, in atomic writes; once alone, once as two members of a group;

and behind the rounds:

4. freshness at half of the load that one member was measured at;
5. memory and the size of states, over days that are fed to a member directly.

A pace is taken from when a contender has done a first stretch of records to its last batch. CPU-seconds are those of the
contender's own process; broker and store work beside it on the same cores.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np
import redis
from kafka.record.util import crc32c_c

from contract.errors import InfrastructureError
from contract.home import Home
from contract.keys import EVENTS
from contract.settings import Settings
from lab.bench.lake import PARTITIONS
from lab.bench.own_env import own_python
from lab.bench.report import Row, judged
from lab.bench.stream_contender import LIMIT_S, Contender, Pace, contender, pace
from lab.bench.stream_fresh import Probe, delays
from lab.bench.stream_world import bench_home, listening, write_log
from lab.machine.kafka import cache_folder
from lab.stack.embedded import Embedded, open_embedded
from streaming.kafka_log import KafkaLog
from streaming.redis_store import connect

STEADY_S = 3
"""So long a load lasts before its events are looked at."""
HELD = 0.95
"""The share of the load asked for that the sender must have kept up."""
CAUGHT_UP_S = 60
WAIT_S = 0.05
PATIENCE_S, SLOWEST = 90, 1_000
"""Quix Streams is given up after so many seconds and one more for each so many events."""
DECODER = "msgspec, each value to an Event"
CHECKSUM = "compiled" if crc32c_c else "in Python"
"""How kafka-python checks what it fetches. In Python that is most of the work of a poll, and hides what the rest costs."""


@dataclass(frozen=True)
class Size:
    """How big a run is: events of the topic, how many of them are warm-up; seconds of load; events of the memory run.

    ``checkpoint_s`` is how often Quix Streams writes: 5 s by its own default, oftener where a run would have no two of them.
    """

    events: int
    listeners: int
    warm: int
    rounds: int
    load_s: int
    memory_events: int
    memory_listeners: int
    checkpoint_s: float
    claim: bool


FULL = Size(1_000_000, 100_000, 100_000, 3, 30, 10_000_000, 4_000, 5.0, claim=True)
SMALL = Size(60_000, 3_000, 15_000, 1, 6, 20_000, 150, 0.5, claim=False)


@dataclass(frozen=True)
class Fresh:
    """Freshness at the load (events a second) that was kept up; ``to_kafka_p99_ms`` is of the first part of the way alone."""

    kept: float
    p50_ms: float
    p99_ms: float
    to_kafka_p99_ms: float


NONE = Pace(math.nan, math.nan)
"""The pace of a round in which it could not be measured."""


@dataclass
class Found:
    """The paces of the rounds, by contender; why there is no Quix Streams, if there is none."""

    paces: dict[str, list[Pace]] = field(default_factory=dict)
    no_quix: str | None = None

    def middle(self, name: str) -> Pace:
        """Return the medians of a contender's measured rounds; NaN where it has none."""
        paces = [one for one in self.paces.get(name, []) if one is not NONE] or [NONE]
        return Pace(median(one.per_s for one in paces), median(one.per_cpu_s for one in paces))

    def ratio(self, name: str, other: str) -> float:
        """Return how much more one contender does a CPU-second than another: the median of the rounds; NaN without one."""
        pairs = zip(self.paces.get(name, []), self.paces.get(other, []), strict=False)
        return median([one.per_cpu_s / two.per_cpu_s for one, two in pairs if one is not NONE and two is not NONE] or [math.nan])


@dataclass
class Bench:
    """A measurement on a stack of its own, below ``folder``."""

    size: Size
    folder: Path
    served_share: float
    stack: Embedded
    log: KafkaLog
    redis: redis.Redis
    say: Callable[[str], None]

    def rows(self) -> list[Row]:
        """Measure everything."""
        size = self.size
        self._listening = listening(size.listeners, size.warm, PARTITIONS)
        bench_home(self._home, self._listening.world)
        self.say(f"writing {size.events:,} events of {size.listeners:,} listeners")
        write_log(self.log, self._listening, size.events)
        self._ends = self.log.ends(EVENTS)
        found = self._rounds()
        load = found.middle("member").per_s / 2
        fresh = self._fresh(load)
        self._forget()
        memory = self._alone("memory", {"events": size.memory_events, "listeners": size.memory_listeners})
        self.say(f"memory: {memory['days']} days, then {memory['resident_mb']:.0f} MB")
        rows = [*_paces(found), _freshness(fresh, load), *_sizes(memory)]
        made = [judged(row, claim=size.claim and not math.isnan(row.value)) for row in rows]
        return [*made, *_beside(found, fresh, memory)]

    def _rounds(self) -> Found:
        """Let all contenders work, in turn, round by round."""
        found, python = Found(), self._quix_python()
        if isinstance(python, str):
            found.no_quix = python
        for number in range(self.size.rounds):
            paces = {"raw": self._raw()}
            if isinstance(python, Path) and found.no_quix is None:
                try:
                    paces["quix"] = self._quix(python, number)
                except InfrastructureError as error:
                    found.no_quix = str(error)
            paces["member"], paces["members"] = self._members(1), self._members(2)
            for name, one in paces.items():
                found.paces.setdefault(name, []).append(one)
            told = ", ".join(f"{name} {one.per_cpu_s:,.0f} ({one.per_s:,.0f})" for name, one in paces.items())
            self.say(f"round {number + 1}, events a CPU-second (a second): {told}")
        if found.no_quix is not None:
            self.say(f"Quix Streams is not measured: {found.no_quix}")
            found.paces.pop("quix", None)
        return found

    def _raw(self) -> Pace:
        return pace([self._alone("raw", {"records": sum(self._ends.values())})["marks"]], self.size.warm)

    def _quix(self, python: Path, number: int) -> Pace:
        self._forget()
        state, address = self.folder / "quix-state", urlsplit(self.stack.redis)
        shutil.rmtree(state, ignore_errors=True)
        told = {
            "events": self.size.events,
            "topic": EVENTS,
            "group": f"quix-{number}",  # a group's name is that of its changelog topic too: each round begins with nothing
            "state": str(state),
            "host": address.hostname,
            "port": address.port,
            "checkpoint_s": self.size.checkpoint_s,
        }
        limit_s = PATIENCE_S + self.size.events / SLOWEST
        return pace([self._alone("quix", told, python, limit_s)["marks"]], self.size.warm)

    def _quix_python(self) -> Path | str:
        """Return the Python that has Quix Streams, or why there is none."""
        try:
            return own_python("quix", "Quix Streams", cache_folder())
        except InfrastructureError as error:
            return str(error)

    def _members(self, count: int) -> Pace:
        """Let so many members of one group read the topic from the start."""
        self._forget()
        with self._running(count) as members:
            self._wait(members, self._ends, LIMIT_S)
            for member in members:
                member.leave()
            marks = [member.heard()["marks"] for member in members]
        try:
            return pace(marks, self.size.warm // (count * count))
        except InfrastructureError as error:
            if count == 1:
                raise
            # in a small run one may have done everything before another had joined
            self.say(f"{count} members are not measured: {error}")
            return NONE

    @contextmanager
    def _running(self, count: int) -> Iterator[list[Contender]]:
        """Start members; they begin at once when all are ready."""
        with ExitStack() as opened:
            members = [opened.enter_context(self._contender("member", {})) for _ in range(count)]
            for member in members:
                member.begin()
            yield members

    def _fresh(self, load: float) -> Fresh:
        """Measure freshness under a load (events a second)."""
        messages = self._listening.more(self.size.events, int(load * (STEADY_S + self.size.load_s)))
        content = self.folder / "messages"
        content.write_bytes(msgspec.msgpack.encode(messages))
        probe = Probe(self.redis, PARTITIONS)
        with self._running(1) as members, self._contender("send", {"messages": str(content), "rate": load}) as sender:
            self._wait(members, self._settled(), CAUGHT_UP_S)
            first = self.log.ends(EVENTS)
            with probe.looking():
                sender.begin()
                told = sender.heard()
                self._wait(members, self.log.ends(EVENTS), CAUGHT_UP_S)
        content.unlink()
        received = np.array(told["received"])
        found = delays(probe, first, [partition for partition, _, _ in messages], told["received"])
        p50, p99 = np.percentile(found[received >= received[0] + STEADY_S], [50, 99]) * 1000
        kept = len(received) / (received[-1] - received[0])
        self.say(f"freshness at {kept:,.0f} events a second: half within {p50:.0f} ms, 99 % within {p99:.0f} ms")
        return Fresh(kept, float(p50), float(p99), float(np.percentile(told["to_kafka"], 99)) * 1000)

    def _settled(self) -> dict[int, int]:
        """Send one event to each partition, so that a member that has read them is known to own them all."""
        last = {partition: (partition, name, value) for partition, name, value in self._listening.more(self.size.events, 10_000)}
        self.log.append(EVENTS, last.values())
        return self.log.ends(EVENTS)

    def _wait(self, members: list[Contender], ends: Mapping[int, int], seconds: float) -> None:
        """Wait until the store stands at the ends.

        Raises:
            InfrastructureError: a member ended, or the time is over.
        """
        probe, deadline = Probe(self.redis, PARTITIONS), time.monotonic() + seconds
        while probe.look() != [ends[partition] for partition in range(PARTITIONS)]:
            for member in members:
                member.require_alive()
            if time.monotonic() > deadline:
                raise InfrastructureError("The members did not come to the end of the topic", f"within {seconds} s")
            time.sleep(WAIT_S)

    def _alone(self, name: str, orders: dict[str, Any], python: Path | None = None, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """Let one contender do its work, and return what it says."""
        with self._contender(name, orders, python, limit_s) as one:
            one.begin()
            return one.heard()

    @contextmanager
    def _contender(
        self, name: str, orders: dict[str, Any], python: Path | None = None, limit_s: float = LIMIT_S
    ) -> Iterator[Contender]:
        places = {"kafka": self.stack.kafka, "redis": self.stack.redis, "home": str(self._home.root), "partitions": PARTITIONS}
        with contender(name, {**places, "served_share": self.served_share, **orders}, self.folder, python, limit_s) as one:
            yield one

    def _forget(self) -> None:
        """Empty the store and what members wrote beside it."""
        self.redis.flushall()
        shutil.rmtree(self._home.snapshots, ignore_errors=True)

    @property
    def _home(self) -> Home:
        return Home(self.folder / "home")


def bench_stream(settings: Settings, size: Size, say: Callable[[str], None]) -> list[Row]:
    """Measure, on a fresh embedded stack below the home's ``bench``; the environment of Quix Streams and logs are kept there.

    Raises:
        InfrastructureError: a server or a contender did not do its part.
    """
    folder = settings.places.root / "bench" / "stream"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        for name in ("home", "quix-state"):
            shutil.rmtree(folder / name, ignore_errors=True)
            opened.callback(shutil.rmtree, folder / name, ignore_errors=True)
        stack = open_embedded(folder, PARTITIONS)
        opened.callback(stack.stop)
        log, client = KafkaLog(stack.kafka, PARTITIONS), connect(stack.redis)
        opened.callback(client.close)
        opened.callback(log.close)
        return Bench(size, folder, settings.served_share, stack, log, client, say).rows()


def _paces(found: Found) -> list[Row]:
    quix = "Quix Streams, a count and a mean for each listener, its own Redis sink"
    against = quix if found.no_quix is None else f"not measured: {found.no_quix}"
    raw = f"kafka-python's poll, CRC-32C {CHECKSUM}; {DECODER}"
    return [
        Row("events_per_cpu_s", found.middle("member").per_cpu_s, "a CPU-second", "higher"),
        Row("vs_raw_poll", found.ratio("member", "raw"), "times", "higher", raw, 0.5),
        Row("vs_quix", found.ratio("member", "quix"), "times", "higher", against, 4.0),
        Row("two_members", found.ratio("members", "member"), "times", "higher", "one member, a CPU-second of either", 0.85),
    ]


def _freshness(fresh: Fresh, load: float) -> Row:
    """Without its load the figure is no figure."""
    against = f"{load:,.0f} events a second, half of one member's"
    if fresh.kept < HELD * load:
        return Row("freshness_p99_ms", math.nan, "ms", "lower", f"not measured: the sender did not keep up {against}", 250.0)
    return Row("freshness_p99_ms", fresh.p99_ms, "ms", "lower", against, 250.0)


def _sizes(memory: Mapping[str, Any]) -> list[Row]:
    over = f"over {memory['events']:,} events, once the states were full"
    active = f"{memory['active']:,} listeners with a listen in the window, {memory['days']} days"
    return [
        Row("rss_growth_mb", memory["growth_mb"], "MB", "lower", over, 50.0),
        Row("state_bytes_median", memory["state_bytes_median"], "bytes", "lower", active, 4096.0),
    ]


def _beside(found: Found, fresh: Fresh, memory: Mapping[str, Any]) -> list[Row]:
    """Return the figures that have no goal: what the ratios are made of, and what else the store holds."""
    wall = {"member": "events_per_s", "members": "two_members_per_s", "raw": "raw_per_s", "quix": "quix_per_s"}
    cpu = {"members": "two_members_per_cpu_s", "raw": "raw_per_cpu_s", "quix": "quix_per_cpu_s"}
    return [
        *(Row(row, found.middle(name).per_s, "a second", "higher") for name, row in wall.items()),
        *(Row(row, found.middle(name).per_cpu_s, "a CPU-second", "higher") for name, row in cpu.items()),
        Row("freshness_load_per_s", fresh.kept, "a second", "higher"),
        Row("freshness_p50_ms", fresh.p50_ms, "ms"),
        Row("freshness_kafka_p99_ms", fresh.to_kafka_p99_ms, "ms", "lower", "the part until Kafka has it, the sender's own"),
        Row("state_bytes_p99", memory["state_bytes_p99"], "bytes"),
        Row("row_bytes_median", memory["row_bytes_median"], "bytes"),
    ]
