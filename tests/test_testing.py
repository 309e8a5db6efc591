"""The test kit: a clock that is moved by hand, a scripted log, and a proxy that makes the faults of a network on request."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry

from contract.errors import InfrastructureError, SkewlabError, UsageError
from contract.records import Activation, Watermark
from contract.windows import DAY_MS, HOUR_MS
from lab.stack.processes import end
from lab.stack.redis import start_redis
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.store import MemoryStore, Store
from streaming.testing import (
    CRASH,
    CRASH_AFTER_WRITE,
    CRASH_BEFORE_WRITE,
    LOSE_REPLY,
    REDELIVER,
    Entry,
    HandClock,
    Held,
    Played,
    Raw,
    Redeliver,
    RedisProxy,
    held,
    play,
)
from tests.logs import SECOND, START_MS, home_of, listeners_of
from tests.test_stores import write
from tests.toylake import encoded, event
from tests.waiting import until

PARTITION, PARTITIONS = 0, 2
ANN, BOB, *_ = listeners_of(PARTITION, PARTITIONS)


def test_a_clock_stands_until_it_is_moved() -> None:
    clock = HandClock(1_767_225_600_000)
    assert [clock(), clock()] == [1_767_225_600.0] * 2
    assert clock.forward(1_500) == clock.now_ms == 1_767_225_601_500
    assert clock() == 1_767_225_601.5
    clock.set(0)
    assert clock() == 0
    with pytest.raises(UsageError, match="cannot go forward by -1 ms"):
        clock.forward(-1)


def listens(*hours: int, user: str = ANN) -> list[Entry]:
    return [event(user, "song-a", START_MS + hour * HOUR_MS) for hour in hours]


def played(script: list[Entry], folder: Path, step: int | None = 1) -> tuple[Played, MemoryStore]:
    home, _ = home_of(folder)
    store = MemoryStore()
    return play(script, PARTITION, store, lambda over: Member(home, over, PARTITIONS, step)), store


def left(store: Store) -> Held:
    return held(store, PARTITION, (ANN, BOB))


SCRIPT: list[Entry] = [
    *listens(1, 2),
    Raw(b"nobody", b"{"),
    *listens(3, user=BOB),
    Watermark(START_MS + DAY_MS),
    Activation(SECOND),
    *listens(25, 26),
]
FAULTS = (CRASH, CRASH_BEFORE_WRITE, CRASH_AFTER_WRITE, LOSE_REPLY, REDELIVER, Redeliver(2))


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("step", [1, 3])
def test_a_fault_at_any_place_of_a_script_changes_nothing(tmp_path: Path, fault: Entry, step: int) -> None:
    _, calm = played(SCRIPT, tmp_path / "calm", step)
    for place in range(len(SCRIPT) + 1):
        script = [*SCRIPT[:place], fault, *SCRIPT[place:]]
        _, store = played(script, tmp_path / str(place), step)
        assert left(store) == left(calm), place


@pytest.mark.parametrize("seed", range(4))
def test_many_faults_change_nothing_either(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    script = [entry for one in SCRIPT for entry in (*rng.choices(FAULTS, k=rng.randint(0, 4)), one)]
    _, calm = played(SCRIPT, tmp_path / "calm", 2)
    _, store = played(script, tmp_path / "faulty", 2)
    assert left(store) == left(calm)


def test_a_crash_loses_what_waits_and_the_next_member_reads_it_again(tmp_path: Path) -> None:
    found, store = played([*listens(1, 2), CRASH, *listens(3)], tmp_path, step=3)
    assert (found.deaths, [step.next for step in found.steps]) == (1, [3])
    assert store.claim(PARTITION).epoch == 3, "two members, and this question"


def test_a_crash_before_the_write_leaves_nothing_and_one_after_it_leaves_all(tmp_path: Path) -> None:
    before, _ = played([CRASH_BEFORE_WRITE, *listens(1)], tmp_path / "before")
    after, store = played([CRASH_AFTER_WRITE, *listens(1)], tmp_path / "after")
    assert (before.deaths, len(before.steps)) == (1, 1)
    assert (after.deaths, len(after.steps)) == (1, 0), "the second member found it written"
    assert store.row(PARTITION, ANN) is not None


def test_what_is_delivered_again_is_counted_once(tmp_path: Path) -> None:
    found, store = played([*listens(1, 2, 3), Redeliver(2), REDELIVER, *listens(4)], tmp_path)
    assert (found.redelivered, found.deaths, sum(step.counted for step in found.steps)) == (5, 0, 4)
    meta = store.claim(PARTITION).meta
    assert meta is not None
    assert meta.offset == 4


def test_a_scripts_member_can_be_asked_at_its_end(tmp_path: Path) -> None:
    found, _ = played([*listens(1), CRASH], tmp_path)
    assert (found.member.owned(), found.member.position(PARTITION)) == ([PARTITION], 1)
    assert [record.offset for record in found.log] == [0]
    assert list(encoded(found.member._owned[PARTITION].path.states)) == [ANN]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    child, url = start_redis(tmp_path_factory.mktemp("redis"), keep=False)
    until(lambda: connect(url).close())
    yield url
    end([child])


@pytest.fixture
def proxy(upstream: str) -> Iterator[RedisProxy]:
    with redis.Redis.from_url(upstream) as client:
        client.flushall()
    with RedisProxy(upstream) as found:
        yield found


def bare(proxy: RedisProxy, **options: object) -> redis.Redis:
    """A client that never tries again."""
    return redis.Redis.from_url(proxy.url, retry=Retry(NoBackoff(), 0), **options)  # type: ignore[arg-type]


def patient(proxy: RedisProxy) -> redis.Redis:
    """A client that sends again what got no reply."""
    return redis.Redis.from_url(proxy.url, retry=Retry(ConstantBackoff(0.01), 10))


@pytest.mark.stack
@pytest.mark.parametrize("protocol", [2, 3])
def test_without_a_fault_the_proxy_is_not_to_be_noticed(proxy: RedisProxy, protocol: int) -> None:
    with bare(proxy, protocol=protocol) as client:
        client.set("binary", bytes(range(256)) * 5_000)
        assert client.get("binary") == bytes(range(256)) * 5_000
        client.hset("hash", mapping={"a": "", "b": "2"})
        assert client.hgetall("hash") == {b"a": b"", b"b": b"2"}
        assert client.get("nothing") is None
        assert client.lrange("nothing", 0, -1) == []
        client.xadd("stream", {"p": b"\r\n$-1\r\n"})
        assert next(iter(client.xrange("stream")))[1] == {b"p": b"\r\n$-1\r\n"}
        with pytest.raises(redis.ResponseError):
            client.lpush("hash", 1)
        with client.pipeline(transaction=True) as pipeline:
            assert pipeline.incr("n").incr("n").execute() == [1, 2]
        assert (client.eval("return {1, {2, 'three'}, false}", 0), proxy.seen("EVAL")) == ([1, [2, b"three"], None], 1)


@pytest.mark.stack
def test_the_reply_that_is_lost_is_of_a_request_that_was_done(proxy: RedisProxy) -> None:
    proxy.lose_reply("INCRBY", nth=2)
    with bare(proxy) as client:
        assert client.incr("n") == 1
        assert client.get("n") == b"1"
        with pytest.raises(redis.ConnectionError):
            client.incr("n")
        assert client.get("n") == b"2"
    assert (proxy.lost("reply"), proxy.lost("request")) == (1, 0)


@pytest.mark.stack
def test_a_request_that_is_lost_was_not_done(proxy: RedisProxy) -> None:
    proxy.lose_request("INCRBY")
    with bare(proxy) as client:
        with pytest.raises(redis.ConnectionError):
            client.incr("n")
        assert client.get("n") is None
    assert (proxy.lost("reply"), proxy.lost("request")) == (0, 1)


@pytest.mark.stack
def test_the_client_of_the_live_path_sends_again_by_itself(proxy: RedisProxy) -> None:
    """This is why a step must bear to be sent twice: a plain counter does not."""
    proxy.lose_reply("INCRBY")
    with connect(proxy.url) as client:
        assert client.incr("n") == 2
        assert proxy.seen("INCRBY") == 2


@pytest.mark.stack
def test_a_step_whose_reply_is_lost_is_written_once(proxy: RedisProxy) -> None:
    with patient(proxy) as client:
        store = RedisStore(client)
        epoch = store.claim(PARTITION).epoch
        store.commit(PARTITION, epoch, write(0, 4, new_items=["song-a"], outbox=[b"Sone"]))
        proxy.lose_reply("EVALSHA")
        store.commit(PARTITION, epoch, write(4, 9, known_items=1, new_items=["song-b"], outbox=[b"Stwo"]))
        assert proxy.lost() == 1
        assert store.claim(PARTITION).items == ["song-a", "song-b"]
        assert [entry for _, entry in store.outbox(PARTITION, 9)] == [b"Sone", b"Stwo"]


@pytest.mark.stack
def test_a_script_is_played_over_a_redis_whose_replies_get_lost(proxy: RedisProxy, tmp_path: Path) -> None:
    _, calm = played(SCRIPT, tmp_path / "calm")
    home, _ = home_of(tmp_path / "faulty")
    for command, nth in {"EVALSHA": 2, "HGETALL": 1, "HINCRBY": 2, "HMGET": 1, "LRANGE": 2}.items():
        proxy.lose_reply(command, nth)
    with patient(proxy) as client:
        store = RedisStore(client)
        play([CRASH_AFTER_WRITE, *SCRIPT], PARTITION, store, lambda over: Member(home, over, PARTITIONS, 1))
        assert left(store) == left(calm)
    assert proxy.lost() == 5


@pytest.mark.stack
def test_connections_are_cut_and_clients_come_back(proxy: RedisProxy) -> None:
    with bare(proxy) as client:
        client.set("a", 1)
        connection = client.connection_pool.get_connection()
        proxy.cut()
        with pytest.raises(redis.ConnectionError):
            connection.read_response()
        client.connection_pool.release(connection)
        assert client.get("a") == b"1"


@pytest.mark.stack
def test_nobody_is_let_in_until_it_is_allowed(proxy: RedisProxy) -> None:
    with bare(proxy) as client:
        client.set("a", 1)
        proxy.refuse()
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                client.get("a")
        proxy.allow()
        assert client.get("a") == b"1"


@pytest.mark.stack
def test_a_slow_redis_is_given_up_when_the_client_has_waited_long_enough(proxy: RedisProxy) -> None:
    with bare(proxy, socket_timeout=0.2) as client:
        client.set("a", 1)
        proxy.delay(30)
        with pytest.raises(redis.TimeoutError):
            client.get("a")
        proxy.delay(0)
        assert client.get("a") == b"1"


@pytest.mark.stack
def test_a_request_that_is_held_back_is_done_when_it_is_released(proxy: RedisProxy, upstream: str) -> None:
    with bare(proxy) as client, redis.Redis.from_url(upstream) as direct, ThreadPoolExecutor(1) as asks:
        client.ping()
        proxy.hold()
        answer = asks.submit(client.incr, "n")
        until(lambda: saw(proxy, "INCRBY"))
        assert direct.get("n") is None
        proxy.release()
        assert answer.result(10) == 1


@pytest.mark.stack
def test_a_held_command_holds_no_other(proxy: RedisProxy, upstream: str) -> None:
    with bare(proxy) as client, bare(proxy) as other, redis.Redis.from_url(upstream) as direct, ThreadPoolExecutor(1) as asks:
        proxy.hold("INCRBY")
        answer = asks.submit(client.incr, "n")
        until(lambda: saw(proxy, "INCRBY"))
        assert other.set("a", 1)
        assert direct.get("n") is None
        proxy.release()
        assert answer.result(10) == 1


def saw(proxy: RedisProxy, command: str) -> None:
    if not proxy.seen(command):
        raise SkewlabError("not yet")


@pytest.mark.stack
def test_what_does_not_speak_redis_protocol_is_cut(proxy: RedisProxy) -> None:
    with socket.create_connection(proxy.url.removeprefix("redis://").removesuffix("/0").rsplit(":", 1)) as one:  # type: ignore[arg-type]
        one.sendall(b"*many\r\n")
        assert one.recv(100) == b""


def test_a_proxy_before_nothing_cuts_whoever_comes_and_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with RedisProxy(f"redis://127.0.0.1:{port}/0") as proxy, bare(proxy) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    with pytest.raises(InfrastructureError):
        connect(proxy.url)
