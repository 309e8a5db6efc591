"""A lake of a stated size: a simulated world's listening, thinned to so many events, archived day by day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from contract.event import Events
from contract.lake import Commit, Lake, LakeFile
from contract.records import partition_of
from contract.versions import ItemVectors, Manifest, Version, Versions
from contract.windows import DAY_MS, iso_date
from lab.world import World

DAYS = 28
PARTITIONS = 8
SEED = 7
RANK = 32


def bench_world(listeners: int) -> World:
    """Return the world whose days are archived: day 0 comes behind ``DAYS`` days of history."""
    return World(SEED, listeners, history_days=DAYS)


def bench_lake(folder: Path, events: int, world: World) -> Lake:
    """Archive ``DAYS`` days with so many events, and one day more at the same rate; the same arguments give the same lake."""
    lake, rng = Lake(folder), np.random.default_rng([SEED, events])
    partition = np.array([partition_of(user, PARTITIONS) for user in world.listeners.ids.tolist()])
    lake.settle(PARTITIONS)
    position = [0] * PARTITIONS
    for day in range(-DAYS, 1):
        upto, before = events * (day + DAYS + 1) // DAYS, events * (day + DAYS) // DAYS
        found = _thinned(world.received(day), upto - before, rng)
        home = partition[np.char.partition(found.user_id.astype(str), "-")[:, 2].astype(np.int64)]
        for p in range(PARTITIONS):
            position[p] = _archive(lake, p, position[p], found.take(home == p), world.midnight(day + 1))
    return lake


def bench_version(folder: Path, world: World) -> Version:
    """Publish what features are computed with: the world's catalogue, and vectors of its items by chance."""
    versions = Versions(folder)
    items = tuple(world.catalogue.items)
    matrix = np.random.default_rng(SEED).normal(0, 1, (len(items), RANK))
    draft = versions.draft("bench")
    world.catalogue.write(draft / "catalogue.parquet")
    ItemVectors(items, matrix).write(draft / "item_vectors.parquet")
    return versions.publish(draft, Manifest("bench", 0, {}, "bench", None, None, 0))


def _thinned(events: Events, count: int, rng: np.random.Generator) -> Events:
    """Keep so many of a day's events, in their order; all of them where the day has fewer."""
    if len(events) <= count:
        return events
    return events.take(np.sort(rng.choice(len(events), count, replace=False)))


def _archive(lake: Lake, partition: int, first: int, events: Events, midnight_ms: int) -> int:
    """Write a partition's day as the archiver would, its watermark behind it; return the next offset."""
    events = events.replace(offset=np.arange(first, first + len(events)))
    mark = first + len(events)
    name = f"p{partition:02d}-{first}-{mark + 1}.parquet"
    day = events.ts_ms // DAY_MS
    dates = np.unique(day).tolist()
    with ThreadPoolExecutor(2) as pool:
        files = list(pool.map(lambda d: _write(lake, iso_date(d * DAY_MS), name, events.take(day == d), partition), dates))
    last = int(events.received_at_ms.max()) if len(events) else None
    lake.append(Commit(partition, first, mark + 1, last, midnight_ms, {midnight_ms: mark}, [], files))
    return mark + 1


def _write(lake: Lake, date: str, name: str, events: Events, partition: int) -> LakeFile:
    path = lake.folder / "events" / f"event_date={date}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(events.to_arrow(partition), path)
    return LakeFile(str(path.relative_to(lake.folder)), date, len(events))
