"""Members of the group as processes, over servers that die: whatever happens, the end is that of one undisturbed member."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from kafka import KafkaAdminClient, TopicPartition

from contract.home import Home
from contract.keys import DEAD_LETTERS, EVENTS
from lab.chaos.calm import read_all
from lab.chaos.members import MemberProcess, Post
from lab.chaos.servers import Servers, open_servers
from streaming.group import Timing
from streaming.kafka_log import KafkaLog
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.relay import relay
from streaming.store import MemoryStore, Store
from streaming.testing import RedisProxy
from tests import servers as addresses
from tests.live import PARTITIONS, stands, wait_until
from tests.logs import home_of, listeners_of, one_log, written
from tests.servers import emptied
from tests.toylake import ToyLog, encoded

pytestmark = pytest.mark.stack
STEP = 7
TIMING = Timing(outage_s=20)
STEPS = "HMGET", "EVALSHA"
"""What a step asks Redis: whether a snapshot may be written, and to write."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with open_servers(tmp_path_factory.mktemp("servers"), PARTITIONS) as found:
        yield found


@pytest.fixture
def here(both: Servers, tmp_path: Path) -> Iterator[Here]:
    emptied(at(both), PARTITIONS)
    found = Here(both, tmp_path)
    yield found
    found.end()


def at(both: Servers) -> addresses.Servers:
    return addresses.Servers(both.kafka.address, both.redis.address)


class Here:
    """What a test has at hand: a log to send in parts, members to start, and the calm run to compare with."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers, self.folder = servers, folder
        self.home, _ = home_of(folder / "home")
        self.toy = written(
            [one_log(f"live/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20] * PARTITIONS
        )
        self.members: list[MemberProcess] = []

    def member(self, redis: str = "") -> MemberProcess:
        """Start a member; ``redis`` is the address that it is told, where it is not the server's own."""
        addresses = self.servers.kafka.address, redis or self.servers.redis.address
        post = Post(self.home.root, *addresses, PARTITIONS, STEP, TIMING)
        found = MemberProcess(post, self.folder / f"member-{len(self.members)}.log")
        self.members.append(found)
        found.start()
        return found

    def end(self) -> None:
        for member in self.members:
            member.destroy()
        with connect(self.servers.redis.address) as client:
            client.config_set("maxmemory", 0)

    def send(self, part: int, parts: int) -> None:
        """Send one of so many parts of the log."""
        with self.log() as log:
            for partition, records in self.toy.records.items():
                first, end = len(records) * part // parts, len(records) * (part + 1) // parts
                log.append(EVENTS, [(partition, r.key, r.value or b"") for r in records[first:end]])

    @contextmanager
    def log(self) -> Iterator[KafkaLog]:
        found = KafkaLog(self.servers.kafka.address, PARTITIONS)
        try:
            yield found
        finally:
            found.close()

    def stands(self) -> dict[int, int]:
        return stands(at(self.servers))

    def ends(self) -> dict[int, int]:
        return {p: len(records) for p, records in self.toy.records.items()}

    def done(self) -> None:
        """Wait until all was consumed and published, and let the members end."""
        wait_until(lambda: self.stands() == self.ends())
        codes = [member.stop() for member in self.members if member.alive()]
        assert not any(codes)
        with self.log() as log, connect(self.servers.redis.address) as client:
            relay(RedisStore(client), log, range(PARTITIONS))

    def compare(self, *, rebuilt: bool = False) -> None:
        """Hold what was left against the calm run.

        Where the state was ``rebuilt``, a row may be as of the rebuild and not of a step, and midnights that only the lake
        knows have no snapshot.
        """
        home, _ = home_of(self.folder / "calm")
        store, calm_log = MemoryStore(), MemoryLog(PARTITIONS)
        for partition, records in self.toy.records.items():
            member = Member(home, store, PARTITIONS, STEP)
            member.take_over(partition)
            member.feed(partition, records)
        relay(store, calm_log, range(PARTITIONS))
        with self.log() as log, connect(self.servers.redis.address) as client:
            for partition in range(PARTITIONS):
                assert self.left(RedisStore(client), partition, rebuilt) == self.left(store, partition, rebuilt)
            assert letters(log) == letters(calm_log)
        assert snapshots(self.home) <= snapshots(home)
        assert rebuilt or snapshots(self.home) == snapshots(home)

    def left(self, store: Store, partition: int, rebuilt: bool) -> tuple[object, ...]:
        """Return all that a store holds of a partition; of rows whether they are there, where the state was ``rebuilt``."""
        rows = {user: store.row(partition, user) for user in listeners_of(partition, PARTITIONS)}
        member = Member(self.home, store, PARTITIONS, STEP)
        member.take_over(partition)
        states = encoded(member._owned[partition].path.states)
        return store.claim(partition).meta, states, {user: row is not None for user, row in rows.items()} if rebuilt else rows

    def said(self, line: str) -> list[MemberProcess]:
        """Return the members that told such a line."""
        return [member for member in self.members if any(line in told for told in member.said())]


def letters(log: KafkaLog | MemoryLog) -> set[tuple[int, int, str]]:
    """The dead letters, repeats dropped."""
    found = (orjson.loads(r.value or b"") for records in read_all(log, DEAD_LETTERS, PARTITIONS).values() for r in records)
    return {(one["partition"], one["offset"], one["reason"]) for one in found}


def snapshots(home: Home) -> set[str]:
    return {str(path.relative_to(home.snapshots)) for path in home.snapshots.rglob("*.parquet")}


def test_members_come_go_and_die_while_records_are_consumed(here: Here) -> None:
    first = here.member()
    for part in range(6):
        here.send(part, 6)
        (here.member, here.member, first.kill, here.member, lambda: here.members[1].stop(), bool)[part]()
    here.done()
    here.compare()


def test_a_zombie_that_wakes_behind_its_successor_is_refused_and_says_so(here: Here) -> None:
    """It stands still with a write in its hands, and wakes when another has long taken over and gone on."""
    with RedisProxy(here.servers.redis.address) as proxy:
        zombie = here.member(proxy.url)
        wait_until(lambda: zombie.said()[-1:] == ["Has partitions 0, 1, 2, 3."])
        before = writes(proxy)
        proxy.hold(*STEPS)
        here.send(0, 1)
        wait_until(lambda: writes(proxy) > before)
        zombie.pause()
        here.member()
        wait_until(lambda: here.stands() == here.ends())
        proxy.release()
        zombie.wake()
        wait_until(lambda: here.said("A write was refused.") == [zombie])
        here.done()
    here.compare()


def writes(proxy: RedisProxy) -> int:
    """How many steps have come."""
    return sum(map(proxy.seen, STEPS))


def test_kafka_is_killed_and_comes_back(here: Here) -> None:
    here.member()
    here.member()
    here.send(0, 2)
    wait_until(lambda: bool(here.stands()))
    here.servers.kafka.kill()
    here.servers.kafka.start()
    here.send(1, 2)
    here.done()
    here.compare()


def test_redis_is_killed_and_comes_back_with_its_data(here: Here) -> None:
    here.member()
    here.member()
    for part in range(3):
        here.send(part, 3)
        wait_until(lambda: bool(here.stands()))
        if part < 2:
            here.servers.redis.kill()
            here.servers.redis.start()
    here.done()
    here.compare()


def test_redis_loses_its_data_and_is_filled_from_the_lake_and_kafka(here: Here) -> None:
    here.member()
    here.send(0, 2)
    wait_until(lambda: len(here.stands()) == PARTITIONS)
    archive(here, lambda records: len(records) // 3)
    with connect(here.servers.redis.address) as client:
        client.flushall()
    here.send(1, 2)
    here.done()
    assert here.said("A write was refused")
    here.compare(rebuilt=True)


def archive(here: Here, upto: Callable[[Sequence[object]], int]) -> None:
    ToyLog(PARTITIONS, {p: records[: upto(records)] for p, records in here.toy.records.items()}).archive(here.home)


def delete_below(here: Here, offsets: dict[int, int]) -> None:
    """Let Kafka's retention take what stands below some offsets."""
    admin = KafkaAdminClient(bootstrap_servers=here.servers.kafka.address)
    try:
        admin.delete_records({TopicPartition(EVENTS, p): offset for p, offset in offsets.items()})
    finally:
        admin.close()


def test_an_offset_below_kafkas_retention_is_read_from_the_lake(here: Here) -> None:
    early = here.member()
    here.send(0, 2)
    wait_until(lambda: len(here.stands()) == PARTITIONS)
    early.stop()
    here.send(1, 2)
    archive(here, lambda records: len(records) - 5)
    delete_below(here, {p: len(records) - 9 for p, records in here.toy.records.items()})
    here.member()
    here.done()
    assert len(here.said("rebuilt from the lake")) == 1
    here.compare(rebuilt=True)


def test_an_offset_that_neither_kafka_nor_the_lake_has_ends_the_member_in_one_line(here: Here) -> None:
    early = here.member()
    here.send(0, 2)
    wait_until(lambda: len(here.stands()) == PARTITIONS)
    early.stop()
    before = here.stands()
    here.send(1, 2)
    delete_below(here, {0: len(here.toy.records[0]) - 1})
    late = here.member()
    assert late.ended(30) == 2
    assert "Partition 0 cannot go on at offset" in late.said()[-1]
    assert here.stands()[0] == before[0]


def test_a_full_redis_ends_the_member_in_one_line_and_its_successor_goes_on(here: Here) -> None:
    full = here.member()
    here.send(0, 2)
    wait_until(lambda: len(here.stands()) == PARTITIONS)
    with connect(here.servers.redis.address) as client:
        client.config_set("maxmemory", 1)
        here.send(1, 2)
        assert full.ended(30) == 2
        assert "'maxmemory'" in full.said()[-1]
        client.config_set("maxmemory", 0)
    here.member()
    here.done()
    here.compare()
