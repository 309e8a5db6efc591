"""Random logs for the tests of parity: every partition is a log of its own, with the edges of the rules in it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from contract.catalogue import Catalogue, Item
from contract.event import Event
from contract.home import Home
from contract.preferences import Preference, write_preferences
from contract.ranker import COLUMNS, Linear, Ranker, Show
from contract.records import Activation, Watermark, encode, partition_of
from contract.versions import PREFERENCES, ItemVectors, Manifest, Version, Versions
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_instant
from tests.toylake import ToyLog, event, home_with

START_MS = parse_instant("2026-01-01")
NIGHTS = 44
SECOND = "second"
LISTENERS_A_LOG = 3
ITEMS = ("song-a", "song-b", "song-c", "talk-a-1", "talk-a-2", "talk-b-1", "unheard-of")
LATEST_MS = 48 * HOUR_MS
WISHES = {f"listener-{i}": Preference(personalisation=i % 2 == 0, privacy_first=i % 2 == 1) for i in range(0, 48, 3)}

OLD = Catalogue.of(
    [
        Item("song-a", "A", artist="x", genre="rock"),
        Item("song-b", "B", artist="y", genre="jazz"),
        Item("song-c", "C", artist="y"),
        Item("talk-a-1", "A 1", show="show-a", show_genre="news"),
        Item("talk-a-2", "A 2", show="show-a", show_genre="news", genre="comedy"),
        Item("talk-b-1", "B 1", show="show-b", show_genre="news"),
    ]
)
NEW = Catalogue.of([*OLD.items.values(), Item("song-c", "C", artist="y", genre="ambient"), Item("unheard-of", "U", genre="jazz")])

_DAYS = (*range(13), *range(13, NIGHTS, 3), 27, 28, 29, 35, 36, 37, *range(39, NIGHTS))
_MOMENTS = (0, 1, HOUR_MS - 1, HOUR_MS, 6 * HOUR_MS, 22 * HOUR_MS, DAY_MS - HOUR_MS, DAY_MS - 1)
_DELAYS = (0, 0, 0, 1, SECOND_MS, 5 * MINUTE_MS, 3 * HOUR_MS, 30 * HOUR_MS, LATEST_MS, LATEST_MS + 1, 60 * HOUR_MS)
_PLAYED = (0, 1, 29_999, 30_000, 59_999, 60_000, 200_000, 30 * MINUTE_MS, 3 * HOUR_MS, DAY_MS)
_DURATIONS = (None, 1, 200_000, 40 * MINUTE_MS)
_BROKEN = (b"{", b"[]", b'{"control": "nothing"}', b'{"event_id": "e", "ms_played": 30000.0}', b"\xff\xfe")


@dataclass(frozen=True)
class Sent:
    """A record on its way: when the collector gets it, who sends it, what."""

    received_ms: int
    user: str
    value: bytes


def one_log(seed: str, users: tuple[str, ...]) -> list[Sent]:
    """Draw the events of a few listeners, in the order in which the collector gets them."""
    rng = random.Random(seed)
    sent: list[Sent] = []
    for number in range(rng.randint(0, 60)):
        made = _event(rng, users, number)
        sent.append(Sent(made.received_at_ms, made.user_id, encode(made)))
        if rng.random() < 0.3:
            again = made.received_at_ms + rng.choice([0, 1, HOUR_MS, 20 * HOUR_MS])
            sent.append(Sent(again, made.user_id, encode(msgspec.structs.replace(made, received_at_ms=again))))
    broken = [START_MS + rng.choice(_DAYS) * DAY_MS for _ in range(rng.randint(0, 2))]
    sent += [Sent(at, users[0], rng.choice(_BROKEN)) for at in broken]
    return sorted(sent, key=lambda one: one.received_ms)


def _event(rng: random.Random, users: tuple[str, ...], number: int) -> Event:
    item = rng.choice(ITEMS)
    moment = rng.choice(_MOMENTS) if rng.random() < 0.6 else rng.randrange(DAY_MS)
    ts = START_MS + rng.choice(_DAYS) * DAY_MS + moment
    return event(
        rng.choice(users),
        item,
        ts,
        event_id=f"e{rng.randint(0, number)}",  # some ids are used again
        kind="podcast" if item.startswith("talk") else "music",
        received_at_ms=ts + rng.choice(_DELAYS),
        ms_played=rng.choice(_PLAYED),
        duration_ms=rng.choice(_DURATIONS),
        utc_offset_min=rng.choice([-720, -1, 0, 330, 840]),
        device=rng.choice(["phone", "car"]),
    )


def listeners_of(partition: int, partitions: int) -> tuple[str, ...]:
    """Return names that belong to a partition."""
    names = (f"listener-{i}" for i in range(10_000))
    mine = (name for name in names if partition_of(name, partitions) == partition)
    return tuple(next(mine) for _ in range(LISTENERS_A_LOG))


def written(logs: Sequence[list[Sent]], activated: list[int]) -> ToyLog:
    """Write each log to a partition, with all watermarks; ``activated`` says behind which the second version begins."""
    log = ToyLog(len(logs))
    for partition, (sent, change) in enumerate(zip(logs, activated, strict=True)):
        waiting = list(sent)
        for night in range(1, NIGHTS + 4):
            midnight = START_MS + night * DAY_MS
            while waiting and waiting[0].received_ms < midnight:
                one = waiting.pop(0)
                log.raw(partition, one.user.encode(), one.value)
            log.raw(partition, None, encode(Watermark(midnight)))
            if night == change:
                log.raw(partition, None, encode(Activation(SECOND)))
    return log


def home_of(folder: Path) -> tuple[Home, dict[str, Version]]:
    """Return a home with two versions: ``initial`` knows the catalogue, the second has vectors, a ranker and wishes too."""
    home, first = home_with(folder, OLD)
    versions = Versions(home.versions)
    draft = versions.draft(SECOND)
    NEW.write(draft / "catalogue.parquet")
    vectors = {"song-a": [3.0, 4.0], "song-b": [-3.0, -4.0], "talk-a-1": [0.5, 0.25], "unheard-of": [1.0, 0.0]}
    ItemVectors(tuple(vectors), np.array(list(vectors.values()))).write(draft / "item_vectors.parquet")
    _ranker().write(draft / "ranker.json")
    write_preferences(draft / PREFERENCES, WISHES)
    second = versions.publish(draft, Manifest(SECOND, 0, {}, first.name, 0, None, 0))
    return home, {first.name: first, SECOND: second}


def _ranker() -> Ranker:
    n = len(COLUMNS)
    shows = (
        Show("show-a", "news", 0.5, 0.25, 30.0),
        Show("show-b", None, 0.5, 0.25, 30.0),
        Show("show-c", "jazz", 0.1, 0.9, 9.0),
    )
    weights = tuple(0.3 - 0.1 * i for i in range(n))
    return Ranker(COLUMNS, (0.5,) * n, Linear((0.1,) * n, (2.0,) * n, weights, -0.5), shows, 0, 0, {}, {})
