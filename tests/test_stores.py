"""What every store of the live path must do: the one in memory, the Redis of both stacks, and a Redis Cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streaming.redis_store import RedisStore, connect
from streaming.store import Fenced, MemoryStore, Meta, Store, Write
from tests.redis_cluster import address_of
from tests.servers import BOTH_STACKS

PARTITION = 3


@pytest.fixture(params=["memory", *BOTH_STACKS, pytest.param("cluster", marks=pytest.mark.stack)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "cluster":
        client = connect(address_of(request.getfixturevalue("redis_nodes")))
    else:
        client = connect(request.getfixturevalue(f"{request.param}_redis"))
    client.flushall()
    yield RedisStore(client)
    client.close()


def write(first: int, end: int, **parts: object) -> Write:
    plain: dict[str, object] = {"known_items": 0, "new_items": [], "states": {}, "rows": {}, "outbox": []}
    return Write(first=first, meta=Meta(end, 5, None, "initial"), **{**plain, **parts})  # type: ignore[arg-type]


def test_nothing_was_ever_written(store: Store) -> None:
    claim = store.claim(PARTITION)
    assert (claim.meta, claim.items, claim.states) == (None, [], {})


def test_a_step_is_found_by_the_next_owner(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    store.commit(PARTITION, epoch, write(0, 4, new_items=["song-a"], states={"ada": b"\x00state"}, rows={"ada": b"row"}))
    claim = store.claim(PARTITION)
    assert claim.epoch == epoch + 1
    assert claim.meta == Meta(4, 5, None, "initial")
    assert (claim.items, claim.states) == (["song-a"], {"ada": b"\x00state"})
    assert store.row(PARTITION, "ada") == b"row"
    assert store.row(PARTITION, "bob") is None


def test_the_same_step_twice_is_written_once(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    step = write(0, 4, new_items=["song-a"], outbox=[b"Sone", b"Dtwo"])
    store.commit(PARTITION, epoch, step)
    store.commit(PARTITION, epoch, step)  # the reply to the first was lost
    assert store.claim(PARTITION).items == ["song-a"]
    assert [entry for _, entry in store.outbox(PARTITION, 10)] == [b"Sone", b"Dtwo"]


def test_the_first_write_of_a_rebuilt_state_twice_is_written_once(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    for _ in range(2):
        store.commit(PARTITION, epoch, write(9, 9, new_items=["song-a"], states={"ada": b"s"}))
    store.commit(PARTITION, epoch, write(9, 12, known_items=1))
    assert store.claim(PARTITION).items == ["song-a"]


def test_a_stale_owner_cannot_write(store: Store) -> None:
    stale = store.claim(PARTITION).epoch
    store.claim(PARTITION)
    with pytest.raises(Fenced):
        store.commit(PARTITION, stale, write(0, 4, rows={"ada": b"row"}))
    assert store.row(PARTITION, "ada") is None
    assert store.claim(PARTITION).meta is None


def test_a_step_from_another_offset_is_refused(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    store.commit(PARTITION, epoch, write(0, 4))
    for first, end_ in ((2, 6), (5, 9), (0, 5)):
        with pytest.raises(Fenced):
            store.commit(PARTITION, epoch, write(first, end_))
    store.commit(PARTITION, epoch, write(4, 5))


def test_none_removes_a_name(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    store.commit(PARTITION, epoch, write(0, 1, states={"ada": b"s", "bob": b"s"}, rows={"ada": b"r", "bob": b"r"}))
    store.commit(PARTITION, epoch, write(1, 2, states={"ada": None}, rows={"bob": None}))
    assert store.claim(PARTITION).states == {"bob": b"s"}
    assert (store.row(PARTITION, "ada"), store.row(PARTITION, "bob")) == (b"r", None)


def test_partitions_do_not_touch_each_other(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    store.commit(PARTITION, epoch, write(0, 4, rows={"ada": b"row"}))
    assert store.claim(PARTITION + 1).meta is None
    assert store.row(PARTITION + 1, "ada") is None


def test_the_outbox_keeps_its_order_until_it_is_published(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    for step in range(12):  # past 9: offsets are numbers, not text
        store.commit(PARTITION, epoch, write(step, step + 1, outbox=[b"S%d" % step, b"D%d" % step]))
    entries = store.outbox(PARTITION, 100)
    assert [entry for _, entry in entries] == [part for step in range(12) for part in (b"S%d" % step, b"D%d" % step)]
    assert store.outbox(PARTITION, 3) == entries[:3]
    store.published(PARTITION, [name for name, _ in entries[:5]])
    store.published(PARTITION, [])
    assert store.outbox(PARTITION, 100) == entries[5:]


def test_holds_asks_for_owner_and_offset(store: Store) -> None:
    epoch = store.claim(PARTITION).epoch
    assert store.holds(PARTITION, epoch, 17), "before the first write, any offset is right"
    store.commit(PARTITION, epoch, write(0, 4))
    assert store.holds(PARTITION, epoch, 4)
    assert not store.holds(PARTITION, epoch, 3)
    assert not store.holds(PARTITION, epoch - 1, 4)
