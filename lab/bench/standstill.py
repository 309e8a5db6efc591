"""How long partitions stand still when a member joins, leaves or is killed: ``python -m lab.bench.standstill``.

Members are processes of ``skewlab stream`` over the embedded stack. Every partition gets a record each 20 ms. A partition stands
still while a record waits and the store's offset does not move; the longest such while around each event is printed, and which
partitions never stood still for longer than an ordinary step.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import redis
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from contract.home import Home
from contract.keys import CONSUMER_GROUP, EVENTS, key
from contract.records import encode, partition_of
from contract.versions import Versions
from lab.stack.embedded import Embedded, open_embedded
from lab.world import World
from streaming.kafka_log import CLIENT, KafkaLog
from streaming.log import Message
from streaming.redis_store import connect

PARTITIONS, LISTENERS = 8, 20_000
TICK_S = 0.02
LOOK_S = 0.005
WATCH_S = 15.0
ORDINARY_S = 0.5
SETTLED_S = 2.0
"""All partitions moved for so long: nobody is joining any more."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as end:
        home = Home(Path(folder))
        world = World(7, LISTENERS, history_days=0)
        Versions(home.versions).publish_initial(world.catalogue)
        stack = open_embedded(home.root, PARTITIONS)
        end.callback(stack.stop)
        print(f"{os.cpu_count()} cores, {PARTITIONS} partitions, {LISTENERS} listeners, a record each {TICK_S * 1000:.0f} ms")
        sent = end.enter_context(_sending(stack.kafka, _by_partition(world)))
        admin = KafkaAdminClient(bootstrap_servers=stack.kafka, **CLIENT)
        end.callback(admin.close)
        watch = _Watch(end.enter_context(connect(stack.redis)), admin, sent)
        _unsupervised(home, stack, watch)
        _supervised(home, stack, watch)


def _unsupervised(home: Home, stack: Embedded, watch: _Watch) -> None:
    with _member(home, stack), _member(home, stack):
        watch.settle(2)
        third = ExitStack()
        watch.event("a third member joins", lambda: third.enter_context(_member(home, stack)))
        watch.settle(3)
        watch.event("it leaves (SIGTERM)", third.close)
        watch.settle(2)
        with _member(home, stack) as killed:
            watch.settle(3)
            watch.event("one that nobody watches is killed (SIGKILL)", killed.kill)


def _supervised(home: Home, stack: Embedded, watch: _Watch) -> None:
    with _member(home, stack, "--members", "3") as parent:
        watch.settle(3)
        child = psutil.Process(parent.pid).children()[0]
        watch.event("one of --members 3 is killed (SIGKILL)", child.kill)
        watch.settle(3)
        child = psutil.Process(parent.pid).children()[0]
        watch.event("one of --members 3 is ended (SIGTERM)", child.terminate)


class _Watch:
    """Where the store's offsets stand, looked at again and again."""

    def __init__(self, client: redis.Redis, admin: KafkaAdminClient, sent: list[int]) -> None:
        self._redis, self._admin, self._sent = client, admin, sent

    def offsets(self) -> list[int]:
        pipeline = self._redis.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipeline.hget(key(partition, "meta"), "offset")
        return [int(offset or 0) for offset in pipeline.execute()]

    def settle(self, members: int) -> None:
        """Wait until so many members share the partitions and all of these have moved for a while."""
        while self._members() != members or max(self._still(SETTLED_S)) > ORDINARY_S:
            time.sleep(LOOK_S)

    def _members(self) -> int:
        """Return how many members have partitions; none where the group is not there yet."""
        try:
            group = self._admin.describe_groups([CONSUMER_GROUP])[CONSUMER_GROUP]
        except KafkaError:
            return 0
        return sum(bool((one["member_assignment"] or {}).get("assigned_partitions")) for one in group["members"])

    def event(self, name: str, do: Callable[[], object]) -> None:
        """Let something happen; print how long partitions stood still."""
        doing = threading.Timer(0.5, do)
        doing.start()
        still = self._still(WATCH_S)
        doing.join()
        moved = [seconds for seconds in still if seconds > ORDINARY_S]
        print(f"{name:<42} longest {max(still):5.2f} s, {len(moved)} of {PARTITIONS} partitions above {ORDINARY_S} s", flush=True)

    def _still(self, seconds: float) -> list[float]:
        """Return, for each partition, for how long at most a record waited while its offset did not move."""
        now = time.monotonic()
        deadline, longest = now + seconds, [0.0] * PARTITIONS
        before, since = self.offsets(), [now] * PARTITIONS
        while now < deadline:
            time.sleep(LOOK_S)
            offsets, now = self.offsets(), time.monotonic()
            for p in range(PARTITIONS):
                if offsets[p] != before[p] or offsets[p] >= self._sent[p]:
                    since[p] = now
                longest[p] = max(longest[p], now - since[p])
            before = offsets
        return longest


@contextmanager
def _member(home: Home, stack: Embedded, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``skewlab stream``; ask it to end behind."""
    given = {"HOME": home.root, "STACK": "external", "KAFKA": stack.kafka, "REDIS": stack.redis, "PARTITIONS": PARTITIONS}
    env = {**os.environ, **{f"SKEWLAB_{name}": str(value) for name, value in given.items()}}
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.cli", "stream", *flags], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _by_partition(world: World) -> list[list[Message]]:
    """Return a day's events as messages, by partition."""
    found: list[list[Message]] = [[] for _ in range(PARTITIONS)]
    for event in world.received(0).to_records():
        partition = partition_of(event.user_id, PARTITIONS)
        found[partition].append((partition, event.user_id.encode(), encode(event)))
    return found


@contextmanager
def _sending(kafka: str, messages: list[list[Message]]) -> Iterator[list[int]]:
    """Send half of the messages at once, and then one to each partition at each tick; give how many each partition has."""
    log, stop = KafkaLog(kafka, PARTITIONS), threading.Event()
    sent = [len(mine) // 2 for mine in messages]
    log.append(EVENTS, [message for mine, count in zip(messages, sent, strict=True) for message in mine[:count]])

    def send() -> None:
        while not stop.wait(TICK_S):
            log.append(EVENTS, [mine[count % len(mine)] for mine, count in zip(messages, sent, strict=True)])
            sent[:] = [count + 1 for count in sent]

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()
        log.close()


if __name__ == "__main__":
    main()
