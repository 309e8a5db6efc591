"""The store of partitions in a Redis Cluster: one slot a partition, partitions on all nodes, slots that move, nodes that go.

What a store must do is asked of a cluster in ``test_stores.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot

from batch.online import copied
from contract.errors import InfrastructureError
from contract.home import Home
from contract.keys import key
from contract.preferences import Preference
from contract.records import Activation, Watermark
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS
from lab.stack.processes import end
from serving.copy import served
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.store import Fenced, MemoryStore, Meta, Write
from streaming.testing import held
from tests.logs import ITEMS, SECOND, START_MS, home_of, listeners_of
from tests.redis_cluster import Node, address_of, move_slot, owner, started_cluster
from tests.shelves import ANN, publish_shelves
from tests.toylake import ToyLog, event

pytestmark = pytest.mark.stack
PARTITIONS, STEP = 8, 5
KEYS = ("meta", "items", "state", "rows", "outbox")


@pytest.fixture
def client(redis_nodes: list[Node]) -> Iterator[redis.Redis]:
    """A cluster that nobody has written to."""
    found = connect(address_of(redis_nodes))
    found.flushall()
    yield found
    found.close()


@pytest.fixture(scope="module")
def log() -> ToyLog:
    """Every listener hears something before and behind a midnight; a record of each partition is broken."""
    log = ToyLog(PARTITIONS)
    _listen(log, START_MS + HOUR_MS)
    log.control(Watermark(START_MS + DAY_MS))
    log.control(Activation(SECOND))
    for partition in range(PARTITIONS):
        log.raw(partition, b"nobody", b"{")
    _listen(log, START_MS + DAY_MS + HOUR_MS)
    return log


def _listen(log: ToyLog, from_ms: int) -> None:
    for partition in range(PARTITIONS):
        for user in listeners_of(partition, PARTITIONS):
            log.send(*(event(user, item, from_ms + i * MINUTE_MS) for i, item in enumerate(ITEMS)))


def consume(member: Member, log: ToyLog) -> None:
    for partition in range(PARTITIONS):
        at = member.take_over(partition)
        member.feed(partition, log.records[partition][at:])


def slot_of(partition: int) -> int:
    return key_slot(key(partition, "meta").encode())


def partitions_in(node: Node) -> set[int]:
    """Return the partitions of which a node itself holds a key."""
    with node.client() as client:
        return {int(name[2:].split(b"}")[0]) for name in client.scan_iter("{p*")}


def step(first: int, *users: str) -> Write:
    meta = Meta(first + 1, 5, None, "initial")
    return Write(first, meta, 0, [], dict.fromkeys(users, b"state"), dict.fromkeys(users, b"row"), [b"Sentry"])


@pytest.mark.parametrize("partition", [0, 7, 511])
def test_all_keys_of_a_partition_share_a_slot(partition: int) -> None:
    assert len({key_slot(key(partition, name).encode()) for name in KEYS}) == 1


def test_a_member_leaves_in_a_cluster_what_it_leaves_in_one_store(client: redis.Redis, log: ToyLog, tmp_path: Path) -> None:
    cluster, memory = RedisStore(client), MemoryStore()
    for name, store in (("cluster", cluster), ("memory", memory)):
        consume(Member(home_of(tmp_path / name)[0], store, PARTITIONS, STEP), log)
    for partition in range(PARTITIONS):
        users = listeners_of(partition, PARTITIONS)
        found = held(cluster, partition, users)
        assert found == held(memory, partition, users)
        assert found.meta is not None
        assert (found.meta.offset, set(found.states)) == (len(log.records[partition]), set(users))
        assert all(found.rows.values())
        assert any(found.rankings.values())
        assert [entry for _, entry in found.outbox if entry.startswith(b"D")]


def test_partitions_lie_on_all_nodes_and_each_on_one(
    client: redis.Redis, redis_nodes: list[Node], log: ToyLog, tmp_path: Path
) -> None:
    consume(Member(home_of(tmp_path)[0], RedisStore(client), PARTITIONS, STEP), log)
    found = [partitions_in(node) for node in redis_nodes]
    assert all(found), found
    assert sorted(partition for one in found for partition in one) == list(range(PARTITIONS))


def test_a_member_whose_partitions_moved_is_refused_on_every_node(client: redis.Redis, log: ToyLog, tmp_path: Path) -> None:
    home, store = home_of(tmp_path)[0], RedisStore(client)
    zombie, successor = (Member(home, store, PARTITIONS, STEP) for _ in range(2))
    for member in (zombie, successor):
        for partition in range(PARTITIONS):
            member.take_over(partition)
    for partition in range(PARTITIONS):
        with pytest.raises(Fenced, match=f"Partition {partition} has moved on"):
            zombie.feed(partition, log.records[partition][:STEP])
        assert store.row(partition, listeners_of(partition, PARTITIONS)[0]) is None
        successor.feed(partition, log.records[partition][:STEP])
    assert zombie.owned() == []


def test_a_partition_goes_on_when_its_slot_moves_to_another_node(client: redis.Redis, redis_nodes: list[Node]) -> None:
    """The client still asks the node of before, is sent on, and the new node has never seen the script."""
    store = RedisStore(client)
    epoch = store.claim(0).epoch
    store.commit(0, epoch, step(0, "ada"))
    slot = slot_of(0)
    source = owner(redis_nodes, slot)
    target = next(node for node in redis_nodes if node != source)
    with target.client() as one:
        one.script_flush()
    move_slot(redis_nodes, slot, source, target)
    try:
        store.commit(0, epoch, step(1, "bob"))
        assert 0 in partitions_in(target)
        assert 0 not in partitions_in(source)
        assert [store.row(0, user) for user in ("ada", "bob")] == [b"row", b"row"]
        assert [name for name, _ in store.outbox(0, 10)] == ["1-1", "2-1"]
        with pytest.raises(Fenced):
            store.commit(0, epoch - 1, step(2))
    finally:
        move_slot(redis_nodes, slot, target, source)


def test_a_copy_of_a_version_is_written_over_all_nodes_and_served(
    client: redis.Redis, redis_nodes: list[Node], tmp_path: Path
) -> None:
    users = [listeners_of(partition, PARTITIONS)[0] for partition in range(PARTITIONS)]
    version = publish_shelves(Home(tmp_path), "2026-01-08", dict.fromkeys(users, ANN))
    for _ in range(2):  # the second time it is there already
        with copied(client, version, PARTITIONS):
            pass
    found = served(client)
    assert found is not None
    assert [found.shelves(user, Preference()) for user in users] == [ANN] * PARTITIONS
    assert all(partitions_in(node) for node in redis_nodes)


def test_a_node_that_goes_takes_its_own_partitions_with_it_and_no_others(tmp_path: Path) -> None:
    with started_cluster(tmp_path) as nodes:
        client = connect(address_of(nodes))
        store = RedisStore(client)
        epochs = [store.claim(partition).epoch for partition in range(PARTITIONS)]
        for partition in range(PARTITIONS):
            store.commit(partition, epochs[partition], step(0, "ada"))
        gone = owner(nodes, slot_of(0))
        lost = {partition for partition in range(PARTITIONS) if owner(nodes, slot_of(partition)) == gone}
        assert 0 < len(lost) < PARTITIONS
        end([gone.child])
        for partition in lost:
            with pytest.raises(InfrastructureError, match="Redis did not do 'commit'"):
                store.commit(partition, epochs[partition], step(1, "bob"))
        for partition in set(range(PARTITIONS)) - lost:
            store.commit(partition, epochs[partition], step(1, "bob"))
            assert store.row(partition, "bob") == b"row"
        client.close()


def test_a_node_that_never_saw_the_script_is_written_while_another_is_away(tmp_path: Path) -> None:
    with started_cluster(tmp_path) as nodes:
        client = connect(address_of(nodes))
        store = RedisStore(client)
        epoch = store.claim(0).epoch
        end([node.child for node in nodes if node != owner(nodes, slot_of(0))])
        store.commit(0, epoch, step(0, "ada"))
        assert store.row(0, "ada") == b"row"
        client.close()


def test_one_node_that_answers_is_enough_to_find_the_others_and_none_is_told_in_one_line(tmp_path: Path) -> None:
    with started_cluster(tmp_path) as nodes:
        end([nodes[0].child])
        client = connect(address_of(nodes))
        partition = next(p for p in range(PARTITIONS) if owner(nodes, slot_of(p)) == nodes[2])
        assert RedisStore(client).claim(partition).epoch == 1
        end([node.child for node in nodes])
        with pytest.raises(InfrastructureError, match="Redis did not do 'claim'"):
            RedisStore(client).claim(partition)
        client.close()
        with pytest.raises(InfrastructureError, match=r"No Redis answers at redis\+cluster://127"):
            connect(address_of(nodes))
