"""The calm run over the same log, and what a disturbed one must have in common with it: everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from contract.home import Home
from contract.keys import DEAD_LETTERS, EVENTS, SERVED, key
from contract.skew import RawRecord
from contract.versions import Versions
from lab.chaos.log import catalogue
from lab.chaos.plan import Outcome, Plan
from streaming.kafka_log import KafkaLog
from streaming.log import Log, MemoryLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.relay import relay
from streaming.store import MemoryStore, Store


def judge(outcome: Outcome, plan: Plan, log: KafkaLog, redis: str, home: Home, folder: Path) -> None:
    """Compare what a disturbed run left in the log, in Redis and in its home with what a calm one leaves; note what is wrong."""
    calm_home, calm_log, calm = Home(folder), MemoryLog(plan.partitions), MemoryStore()
    Versions(calm_home.versions).publish_initial(catalogue())
    member = Member(calm_home, calm, plan.partitions, plan.step_events)
    for partition, records in read_all(log, EVENTS, plan.partitions).items():
        member.take_over(partition)
        member.feed(partition, records)
        relay(calm, calm_log, [partition])
    with connect(redis) as client:
        store = RedisStore(client)
        for partition in range(plan.partitions):
            names = {name.decode() for name in client.hkeys(key(partition, "rows"))}
            outcome.rows += len(names)
            outcome.wrong += _partition(store, calm, partition, names)
    outcome.wrong += _snapshots(home, calm_home)
    outcome.snapshots = len(list(home.snapshots.rglob("*.parquet")))
    for topic in (DEAD_LETTERS, SERVED):
        found, expected = _values(log, topic, plan.partitions), _values(calm_log, topic, plan.partitions)
        outcome.repeats += found.total() - len(found)
        outcome.wrong += _published(topic, found, expected)
    outcome.dead_letters = len(_values(calm_log, DEAD_LETTERS, plan.partitions))


def read_all(log: Log, topic: str, partitions: int) -> dict[int, list[RawRecord]]:
    """Return all records of a topic."""
    found: dict[int, list[RawRecord]] = {partition: [] for partition in range(partitions)}
    positions = dict.fromkeys(range(partitions), 0)
    while records := log.read(topic, positions):
        for partition, batch in records.items():
            found[partition] += batch
            positions[partition] = batch[-1].offset + 1
    return found


def _partition(store: Store, calm: Store, partition: int, names: set[str]) -> list[str]:
    found, expected = store.claim(partition), calm.claim(partition)
    everybody = sorted({*names, *expected.states})
    differ = {
        "position, clock or version": found.meta != expected.meta,
        "known items": found.items != expected.items,
        "states": found.states != expected.states,
        "rows": any(store.row(partition, name) != calm.row(partition, name) for name in everybody),
        "outbox": bool(store.outbox(partition, 1)),
    }
    return [f"partition {partition}: {what} are not those of the calm run" for what, differs in differ.items() if differs]


def _snapshots(home: Home, calm: Home) -> list[str]:
    mine, expected = (_files(one.snapshots) for one in (home, calm))
    wrong = [f"snapshot {name} is in one run only" for name in sorted(mine.keys() ^ expected.keys())]
    both = sorted(mine.keys() & expected.keys())
    differ = [name for name in both if not pq.read_table(mine[name]).equals(pq.read_table(expected[name]))]
    return wrong + [f"snapshot {name} differs" for name in differ]


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*.parquet")}


def _values(log: Log, topic: str, partitions: int) -> Counter[tuple[int, bytes]]:
    return Counter((p, record.value or b"") for p, records in read_all(log, topic, partitions).items() for record in records)


def _published(topic: str, found: Mapping[tuple[int, bytes], int], expected: Mapping[tuple[int, bytes], int]) -> list[str]:
    lost, more = len(expected.keys() - found.keys()), len(found.keys() - expected.keys())
    return [f"{topic}: {count} {what}" for what, count in (("lost", lost), ("that should not be there", more)) if count]
