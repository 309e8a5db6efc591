"""What the contenders read: a simulated world's listening as it comes, at its own rate, and the version it is scored with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch.recommending.for_you import SHOWN
from contract.catalogue import Catalogue, Item
from contract.home import Home
from contract.keys import EVENTS
from contract.ranker import COLUMNS, Linear, Ranker, Show
from contract.recommendation import FILE, FOR_YOU, SCHEMA
from contract.records import Activation, Watermark, encode
from contract.versions import ItemVectors, Manifest, Versions
from lab.bench.lake import RANK, SEED
from lab.source import messages_of
from lab.world import World
from lab.world.chance import stream
from streaming.log import Log, Message

VERSION = "bench"
CHUNK = 20_000
"""How many messages are made and sent before they are waited for."""


@dataclass(frozen=True)
class Listening:
    """A world's messages: day -1 first, cut short at ``warm`` events, then the days from 0 on, whole.

    So the warm-up of a contender has all that the rest has, a midnight with its snapshot among it.
    """

    world: World
    partitions: int
    warm: int

    def log(self, events: int) -> Iterator[Message]:
        """Give the log with so many events: a watermark before each day, and the version that scores in front."""
        yield from self._everywhere(Watermark(self.world.midnight(-1)))
        yield from self._everywhere(Activation(VERSION))
        yield from self._day(-1, min(self.warm, events))
        day, left = 0, events - self.warm
        while left > 0:
            yield from self._everywhere(Watermark(self.world.midnight(day)))
            sent = 0
            for message in self._day(day, left):
                sent += 1
                yield message
            day, left = day + 1, left - sent

    def more(self, behind: int, events: int) -> list[Message]:
        """Return so many events that come behind a log with ``behind`` of them; no watermark is among them."""
        return list(islice(self._all(), behind - self.warm, behind - self.warm + events))

    def _all(self) -> Iterator[Message]:
        day = 0
        while True:
            yield from self._day(day, None)
            day += 1

    def _day(self, day: int, most: int | None) -> Iterator[Message]:
        events = self.world.received(day)
        which = np.arange(len(events))[:most]
        for start in range(0, len(which), CHUNK):  # a big world's day as messages, all at once, is a gigabyte
            yield from messages_of(events.take(which[start : start + CHUNK]), self.partitions)

    def _everywhere(self, control: Watermark | Activation) -> Iterator[Message]:
        yield from ((partition, None, encode(control)) for partition in range(self.partitions))


def listening(listeners: int, warm: int, partitions: int) -> Listening:
    """Return the listening of so many listeners."""
    return Listening(World(SEED, listeners, history_days=1), partitions, warm)


def write_log(log: Log, found: Listening, events: int) -> None:
    """Write the log to the events topic."""
    messages = found.log(events)
    while chunk := list(islice(messages, CHUNK)):
        log.append(EVENTS, chunk)


def bench_home(home: Home, world: World) -> None:
    """Publish what rows are computed and scored with: the catalogue, vectors and shelves by chance, a ranker as a run trains."""
    versions, catalogue = Versions(home.versions), world.catalogue
    versions.publish_initial(catalogue)
    rng = stream(SEED, "bench version")
    with versions.building(VERSION) as draft:
        catalogue.write(draft / "catalogue.parquet")
        ItemVectors(tuple(catalogue.items), rng.normal(0, 1, (len(catalogue.items), RANK))).write(draft / "item_vectors.parquet")
        write_shelves(draft / FILE, world.listeners.ids.tolist(), list(world.stock.song_ids), rng)
        ranker = bench_ranker(catalogue, rng)
        ranker.write(draft / "ranker.json")
        versions.publish(draft, Manifest(VERSION, 0, {}, VERSION, 0, ranker.digest, 0))


def write_shelves(path: Path, users: Sequence[str], items: Sequence[str], rng: np.random.Generator) -> None:
    """Put as many items on each listener's first shelf as a night does, by chance, none of them twice."""
    first, step = rng.integers(0, len(items), len(users)), rng.integers(1, len(items) // SHOWN + 1, len(users))
    shown = np.array(items, object)[(first[:, None] + step[:, None] * np.arange(SHOWN)) % len(items)].reshape(-1)
    starts, reasons = pa.array(np.arange(len(users) + 1) * SHOWN, pa.int32()), SCHEMA.field("reasons").type.value_type
    parts = (pa.array(shown, pa.string()), pa.array(np.zeros(len(shown), np.float32)), pa.nulls(len(shown), reasons))
    lists = [pa.ListArray.from_arrays(starts, part) for part in parts]
    pq.write_table(pa.table([pa.array(users), pa.array([FOR_YOU] * len(users)), *lists], SCHEMA), path)


def bench_ranker(catalogue: Catalogue, rng: np.random.Generator) -> Ranker:
    """Return a logistic regression over all columns, for all shows: its weights are chance, the work of scoring is not."""
    first: dict[str, Item] = {}
    for item in catalogue.items.values():
        if item.show is not None:
            first.setdefault(item.show, item)
    facts = rng.random((len(first), 2)).tolist()
    shows = tuple(
        Show(show, first[show].show_genre, heard, done, 30.0) for show, (heard, done) in zip(catalogue.shows, facts, strict=True)
    )
    n = len(COLUMNS)
    model = Linear((0.0,) * n, (1.0,) * n, tuple(rng.normal(0, 0.1, n).tolist()), 0.0)
    return Ranker(COLUMNS, (0.0,) * n, model, shows, 0, 0, {}, {})
