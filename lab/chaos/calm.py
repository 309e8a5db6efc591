"""The calm run over the same log, and what a disturbed one must have in common with it: everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pyarrow.parquet as pq
import redis

from contract.home import Home
from contract.keys import DEAD_LETTERS, EVENTS, RANKINGS, SERVED, key, ranking_key
from contract.skew import RawRecord
from lab.chaos.lakes import differences, events
from lab.chaos.plan import Outcome, Plan
from lab.chaos.versions import publish
from lab.pipeline import Pipeline
from streaming.kafka_log import KafkaLog
from streaming.log import Log, MemoryLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from streaming.store import MemoryStore, Store
from streaming.testing import held


def judge(outcome: Outcome, plan: Plan, log: KafkaLog, url: str, home: Home, folder: Path) -> None:
    """Compare what a disturbed run left in the log, in Redis and in its home with what a calm one leaves; note what is wrong."""
    calm_home, calm_log, calm = Home(folder), MemoryLog(plan.partitions), MemoryStore()
    consume_calmly(calm_home, plan, calm_log, calm, read_all(log, EVENTS, plan.partitions))
    with connect(url) as client:
        store = RedisStore(client)
        for partition in range(plan.partitions):
            names, ranked = _names(client, partition)
            outcome.rows += len(names)
            outcome.rankings += len(ranked)
            outcome.wrong += _partition(store, calm, partition, names | set(ranked))
    outcome.wrong += _snapshots(home, calm_home)
    outcome.snapshots = len(list(home.snapshots.rglob("*.parquet")))
    for topic in (DEAD_LETTERS, SERVED):
        found, expected = _values(log, topic, plan.partitions), _values(calm_log, topic, plan.partitions)
        outcome.repeats += found.total() - len(found)
        outcome.wrong += _published(topic, found, expected)
    outcome.dead_letters = len(_values(calm_log, DEAD_LETTERS, plan.partitions))
    outcome.wrong += differences(home, calm_home)
    outcome.archived = len(events(home))


def consume_calmly(
    home: Home, plan: Plan, log: MemoryLog, store: MemoryStore, records: Mapping[int, Sequence[RawRecord]]
) -> None:
    """Let one undisturbed member consume some records, and such an archiver archive them: home, log and store are empty."""
    publish(home, plan.seed, plan.listeners)
    log.append(EVENTS, [(partition, r.key, r.value or b"") for partition, found in records.items() for r in found])
    pipeline = Pipeline(home, log, store, Member(home, store, plan.partitions, plan.step_events), plan.partitions)
    pipeline.open()
    pipeline.consume()
    pipeline.archive()


def read_all(log: Log, topic: str, partitions: int) -> dict[int, list[RawRecord]]:
    """Return all records of a topic."""
    found: dict[int, list[RawRecord]] = {partition: [] for partition in range(partitions)}
    positions = dict.fromkeys(range(partitions), 0)
    while records := log.read(topic, positions):
        for partition, batch in records.items():
            found[partition] += batch
            positions[partition] = batch[-1].offset + 1
    return found


def _names(client: redis.Redis, partition: int) -> tuple[set[str], list[str]]:
    """Return whose rows Redis holds, and whose rankings, a name for each."""
    names = {name.decode() for name in cast(list[bytes], client.hkeys(key(partition, "rows")))}
    begins = [ranking_key(partition, kind, "") for kind in RANKINGS]
    return names, [found.decode().removeprefix(begin) for begin in begins for found in client.scan_iter(f"{begin}*", 1_000)]


def _partition(store: Store, calm: Store, partition: int, names: set[str]) -> list[str]:
    everybody = {*names, *calm.claim(partition).states}
    found, expected = (held(one, partition, everybody) for one in (store, calm))
    differ = {
        "position, clock or version": found.meta != expected.meta,
        "known items": found.items != expected.items,
        "states": found.states != expected.states,
        "rows": found.rows != expected.rows,
        "rankings": found.rankings != expected.rankings,
        "outbox": bool(found.outbox),
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
