"""A member of the live path: killed anywhere, it loses and doubles nothing; what it wrote can be made again from the lake."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from contract.errors import InfrastructureError, UsageError
from contract.home import Home
from contract.lake import Lake
from contract.records import Activation, Watermark, encode
from contract.windows import DAY_MS
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.outbox import read_served, topic_of
from streaming.rebuild import rebuild
from streaming.relay import relay
from streaming.store import Fenced, MemoryStore, Store, Write
from streaming.testing import Held, held
from tests.logs import START_MS, home_of, listeners_of, one_log, written
from tests.toylake import ToyLog, encoded, event

PARTITION, PARTITIONS, STEP = 0, 2, 7


class Killed(BaseException):
    """What happens to a process in a test."""


@dataclass
class DeadlyStore(MemoryStore):
    """Kills whoever commits, before or after the write, on the calls that are named."""

    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    calls: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def commit(self, partition: int, epoch: int, write: Write) -> None:
        self.calls += 1
        if self.calls in self.before:
            raise Killed
        super().commit(partition, epoch, write)
        if self.calls in self.after:
            raise Killed


def logged(seed: str = "member") -> ToyLog:
    return written([one_log(f"{seed}/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20, 20])


def play(home: Home, store: MemoryStore, log: ToyLog, batch: int, step: int | None = STEP) -> int:
    """Consume a partition to its end, by a new member after each death; return how many died."""
    deaths = 0
    records = log.records[PARTITION]
    while True:
        member = Member(home, store, PARTITIONS, step)
        try:
            at = member.take_over(PARTITION)
            for start in range(at, len(records), batch):
                member.feed(PARTITION, records[start : min(start + batch, len(records))])
        except Killed:
            deaths += 1
        else:
            return deaths


def left(store: Store) -> Held:
    return held(store, PARTITION, listeners_of(PARTITION, PARTITIONS))


@pytest.mark.parametrize("seed", range(4))
def test_killed_anywhere_it_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    log, rng = logged(), random.Random(seed)
    calm, deadly = MemoryStore(), DeadlyStore()
    calls = rng.sample(range(1, 60), 30)
    deadly.before, deadly.after = set(calls[:15]), set(calls[15:])
    assert play(home_of(tmp_path / "calm")[0], calm, log, batch=1000) == 0
    assert play(home_of(tmp_path / "deadly")[0], deadly, log, batch=rng.randint(1, 20)) > 15
    assert left(deadly) == left(calm)
    assert snapshots(tmp_path / "deadly") == snapshots(tmp_path / "calm")


def snapshots(folder: Path) -> dict[str, list[dict[str, object]]]:
    found = sorted((folder / "snapshots").rglob("*.parquet"))
    return {str(path.relative_to(folder)): pq.read_table(path).to_pylist() for path in found}


def test_steps_do_not_depend_on_how_records_arrive(tmp_path: Path) -> None:
    log = logged()
    stores = [MemoryStore() for _ in range(3)]
    for store, batch in zip(stores, (1, 5, 1000), strict=True):
        play(home_of(tmp_path / str(batch))[0], store, log, batch)
    assert left(stores[0]) == left(stores[1]) == left(stores[2])


def test_without_a_step_size_a_lone_click_is_served_at_once(tmp_path: Path) -> None:
    log, store = ToyLog(PARTITIONS), MemoryStore()
    user = listeners_of(PARTITION, PARTITIONS)[0]
    log.send(event(user, "song-a", START_MS))
    play(home_of(tmp_path)[0], store, log, batch=1, step=None)
    assert store.row(PARTITION, user) is not None


def test_the_rebuilt_state_is_the_consumed_one(tmp_path: Path) -> None:
    log = logged()
    home, _ = home_of(tmp_path)
    lake = log.archive(home, commits=5)
    records = log.records[PARTITION]
    path = log.path(home, PARTITION)
    for upto in range(0, len(records) + 1, 9):
        log.consume(path, upto, STEP)
        again = log.path(home, PARTITION)
        rebuild(again, lake, upto)
        assert (again.offset, again.version, again.clock) == (path.offset, path.version, path.clock)
        assert encoded(again.states) == encoded(path.states)


def test_the_lake_must_have_come_as_far_as_the_offset(tmp_path: Path) -> None:
    log = logged()
    home, _ = home_of(tmp_path)
    with pytest.raises(InfrastructureError, match="Let the archiver catch up"):
        rebuild(log.path(home, PARTITION), log.archive(home), upto=10_000)


def test_a_lost_store_is_rebuilt_and_goes_on_behind_the_lake(tmp_path: Path) -> None:
    log, home = logged(), home_of(tmp_path)[0]
    log.archive(home)
    member = Member(home, MemoryStore(), PARTITIONS, STEP)
    assert member.take_over(PARTITION) == Lake(home.lake).end(PARTITION) == len(log.records[PARTITION])


def test_a_fenced_member_gives_the_partition_up_and_leaves_no_snapshot(tmp_path: Path) -> None:
    log, store = ToyLog(PARTITIONS), MemoryStore()
    user = listeners_of(PARTITION, PARTITIONS)[0]
    log.send(event(user, "song-a", START_MS))
    log.raw(PARTITION, None, encode(Watermark(START_MS + DAY_MS)))
    home, _ = home_of(tmp_path)
    zombie, successor = (Member(home, store, PARTITIONS, STEP) for _ in range(2))
    zombie.take_over(PARTITION)
    zombie.feed(PARTITION, log.records[PARTITION][:1])
    successor.take_over(PARTITION)
    with pytest.raises(Fenced):
        zombie.feed(PARTITION, log.records[PARTITION][1:])
    assert zombie.owned() == []
    assert not list(home.snapshots.rglob("*.parquet"))
    successor.feed(PARTITION, log.records[PARTITION])
    assert len(list(home.snapshots.rglob("*.parquet"))) == 1


def test_an_activation_of_a_version_that_is_not_there_stops_at_it(tmp_path: Path) -> None:
    log, store = ToyLog(PARTITIONS), MemoryStore()
    log.send(event(listeners_of(PARTITION, PARTITIONS)[0], "song-a", START_MS))
    log.raw(PARTITION, None, encode(Activation("nowhere")))
    with pytest.raises(UsageError, match="no version 'nowhere'"):
        play(home_of(tmp_path)[0], store, log, batch=10)
    meta = store.claim(PARTITION).meta
    assert meta is not None
    assert meta.offset == 1, "the click before it is served"


def test_the_relay_publishes_in_order_and_sends_again_what_was_not_removed(tmp_path: Path) -> None:
    store, log = MemoryStore(), logged()
    play(home_of(tmp_path)[0], store, log, batch=50)
    entries = [topic_of(entry) for _, entry in store.outbox(PARTITION, 10_000)]
    topics = MemoryLog(PARTITIONS)
    assert relay(store, topics, [PARTITION]) == len(entries)
    assert store.outbox(PARTITION, 1) == []
    for topic in ("served-features", "dead-letters"):
        came = [record.value for record in topics.read(topic, {PARTITION: 0}).get(PARTITION, [])]
        assert came == [value for to, value in entries if to == topic]
        assert came
    assert all(len(table) for table in read_served([v for to, v in entries if to == "served-features"]))
