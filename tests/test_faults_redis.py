"""A Redis that is killed, with its data and without, and one that is full: the state is that of an undisturbed run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contract.errors import InfrastructureError
from contract.home import Home
from contract.skew import RawRecord
from lab.chaos.servers import Server, redis_server
from streaming.member import Member
from streaming.outbox import topic_of
from streaming.redis_store import RedisStore, connect
from streaming.store import Fenced, MemoryStore, Store
from streaming.testing import Held, held
from tests.logs import home_of, listeners_of, one_log, written
from tests.toylake import ToyLog, encoded

pytestmark = pytest.mark.stack
PARTITION, PARTITIONS, STEP = 0, 2, 7


@pytest.fixture(params=[True], ids=["keeps"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    found = redis_server(tmp_path / "redis", keeps=request.param)
    found.start()
    yield found
    found.stop()


forgetful = pytest.mark.parametrize("server", [False], ids=["forgets"], indirect=True)


def logged() -> ToyLog:
    return written([one_log(f"member/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20, 20])


def records_of(log: ToyLog) -> list[RawRecord]:
    return log.records[PARTITION]


def fed(home: Home, store: Store, records: list[RawRecord]) -> Member:
    member = Member(home, store, PARTITIONS, STEP)
    member.feed(PARTITION, records[member.take_over(PARTITION) :])
    return member


def left(store: Store) -> Held:
    return held(store, PARTITION, listeners_of(PARTITION, PARTITIONS))


def calm(folder: Path, log: ToyLog, upto: int | None = None) -> MemoryStore:
    """What an undisturbed member leaves, up to an offset at which a step ends."""
    store = MemoryStore()
    fed(home_of(folder)[0], store, records_of(log)[:upto])
    return store


def test_a_redis_that_comes_back_with_its_data_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    """The member's own client tries again until Redis is there: the member itself notices nothing."""
    log, (home, _) = logged(), home_of(tmp_path / "home")
    with connect(server.address) as client:
        store = RedisStore(client)
        member = Member(home, store, PARTITIONS, STEP)
        at = member.take_over(PARTITION)
        for cut in range(20, len(records_of(log)) + 20, 20):
            member.feed(PARTITION, records_of(log)[at:cut])
            at = cut
            if cut % 60 == 20:
                server.kill()
                server.start()
        assert left(store) == left(calm(tmp_path / "calm", log))


def test_a_redis_that_stays_away_stops_the_member_in_one_line(server: Server, tmp_path: Path) -> None:
    log, (home, _) = logged(), home_of(tmp_path / "home")
    with connect(server.address) as client:
        member = Member(home, RedisStore(client), PARTITIONS, STEP)
        member.take_over(PARTITION)
        server.kill()
        with pytest.raises(InfrastructureError, match=r"Redis did not do '(holds|commit)': Error 111") as caught:
            member.feed(PARTITION, records_of(log))
        assert "\n" not in str(caught.value)
        assert member.owned() == []


@forgetful
@pytest.mark.parametrize("archived", [0, 33, 10_000])
def test_a_redis_that_lost_its_data_is_filled_from_the_lake_and_then_from_kafka(
    server: Server, tmp_path: Path, archived: int
) -> None:
    log, (home, _) = logged(), home_of(tmp_path / "home")
    records = records_of(log)
    half = len(records) // 2
    with connect(server.address) as client:
        store = RedisStore(client)
        member = fed(home, store, records[:half])
        lake = ToyLog(PARTITIONS, {PARTITION: records[: min(archived, half)]})
        lake.archive(home)
        server.kill()
        server.start()
        with pytest.raises(Fenced, match="the store says EPOCH"):
            member.feed(PARTITION, records[half:])
        member = Member(home, store, PARTITIONS, STEP)
        assert member.take_over(PARTITION) == min(archived, half)
        member.feed(PARTITION, records[min(archived, half) :])
        expected = calm(tmp_path / "calm", log)
        found = member._owned[PARTITION].path
        assert store.claim(PARTITION).meta == expected.claim(PARTITION).meta
        assert encoded(found.states) == encoded(consumed(log, home))
        assert dead(store) == dead(expected)
        assert rows(store) == rows(expected)


def consumed(log: ToyLog, home: Home) -> object:
    path = log.path(home, PARTITION)
    log.consume(path)
    return path.states


def dead(store: Store) -> set[bytes]:
    """The dead letters that wait to be published, repeats dropped."""
    found = [topic_of(entry) for _, entry in store.outbox(PARTITION, 10_000)]
    return {value for topic, value in found if topic == "dead-letters"}


def rows(store: Store) -> dict[str, bytes | None]:
    return {user: store.row(PARTITION, user) for user in listeners_of(PARTITION, PARTITIONS)}


def keys_of(client: redis.Redis) -> dict[bytes, object]:
    """All that Redis holds, as it would be moved to another one; but for epochs, which a claim raises."""
    return {name: client.hgetall(name) if name.endswith(b"meta") else client.dump(name) for name in client.scan_iter()}


def room(client: redis.Redis, more: int | None, *, full: bool = False) -> None:
    """Leave so much room; None is without end, and where it is ``full`` there is none whatever happens."""
    used = client.info("memory")["used_memory"]
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1 if full else 0 if more is None else used + more)


def test_a_full_redis_stops_the_member_with_nothing_half_written_and_it_goes_on_when_there_is_room(
    server: Server, tmp_path: Path
) -> None:
    log, (home, _) = logged(), home_of(tmp_path / "home")
    records = records_of(log)
    with connect(server.address) as client:
        store = RedisStore(client)
        member = Member(home, store, PARTITIONS, STEP)
        at = member.take_over(PARTITION)
        member.feed(PARTITION, records[at:30])
        room(client, None, full=True)
        before = keys_of(client)
        with pytest.raises(InfrastructureError, match=r"Redis did not do 'commit': .*'maxmemory'") as caught:
            member.feed(PARTITION, records[30:])
        assert "\n" not in str(caught.value)
        assert (member.owned(), keys_of(client)) == ([], before)
        with pytest.raises(InfrastructureError, match="Redis did not do 'claim'"):
            member.take_over(PARTITION)
        room(client, None)
        fed(home, store, records)
        assert left(store) == left(calm(tmp_path / "calm", log))


def test_wherever_redis_becomes_full_a_step_is_written_whole_or_not_at_all(server: Server, tmp_path: Path) -> None:
    """With little room, and each time more of it, Redis fills up while steps are written, between two of them or in one."""
    log, (home, _) = logged(), home_of(tmp_path / "home")
    records, stops = records_of(log), 0
    with connect(server.address) as client:
        store = RedisStore(client)
        while not filled(client, home, store, records, more=4_000 << stops):
            stops += 1
            stands = store.claim(PARTITION).meta
            assert left(store) == left(calm(tmp_path / f"part-{stops}", log, upto=stands.offset) if stands else MemoryStore())
        assert left(store) == left(calm(tmp_path / "calm", log))
    assert stops > 1


def filled(client: redis.Redis, home: Home, store: RedisStore, records: list[RawRecord], more: int) -> bool:
    """Go on with so much room; tell whether it was enough."""
    room(client, more)
    try:
        fed(home, store, records)
    except InfrastructureError:
        return False
    finally:
        room(client, None)
    return True
