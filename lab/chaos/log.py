"""The log of a chaos run: listens with retries, late ones and garbage among them, a watermark for every midnight."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from contract.catalogue import Catalogue, Item
from contract.event import Event
from contract.records import Watermark, encode, partition_of
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_instant
from streaming.log import Message

START_MS = parse_instant("2026-01-01")
DAYS = 4
SONGS, EPISODES = 300, 60
RETRIED, LATE, TOO_LATE, GARBAGE = 0.03, 0.02, 0.005, 0.01
_GENRES = ("ambient", "jazz", "rock")


def catalogue() -> Catalogue:
    """Return what there is to hear."""
    songs = [Item(f"song-{i}", f"Song {i}", artist=f"artist-{i % 20}", genre=_GENRES[i % 3]) for i in range(SONGS)]
    episodes = [Item(f"talk-{i}", f"Talk {i}", show=f"show-{i % 8}", show_genre="news") for i in range(EPISODES)]
    return Catalogue.of([*songs, *episodes])


def messages(seed: int, events: int, listeners: int, partitions: int) -> list[Message]:
    """Return the records of ``DAYS`` days in the order in which they are sent: so many listens, and what goes wrong on top."""
    rng = random.Random(seed)  # noqa: S311  # to be repeated, not to be a secret
    sent = [(one.received_at_ms, one.user_id.encode(), encode(one)) for one in _events(rng, events, listeners)]
    sent += [(START_MS + rng.randrange(DAYS * DAY_MS), b"nobody", b'{"event_id": ') for _ in range(int(events * GARBAGE))]
    sent.sort(key=lambda one: one[0])
    found: list[Message] = []
    midnight = START_MS + DAY_MS
    for received_ms, key, value in sent:
        while received_ms >= midnight and midnight <= START_MS + DAYS * DAY_MS:
            found += _marks(midnight, partitions)
            midnight += DAY_MS
        found.append((partition_of(key.decode(), partitions), key, value))
    return found + _marks(max(midnight, START_MS + (DAYS + 3) * DAY_MS), partitions)


def _marks(midnight_ms: int, partitions: int) -> list[Message]:
    return [(partition, None, encode(Watermark(midnight_ms))) for partition in range(partitions)]


def _events(rng: random.Random, events: int, listeners: int) -> Iterator[Event]:
    for number in range(events):
        made = _event(rng, number, listeners)
        yield made
        if rng.random() < RETRIED:
            yield msgspec.structs.replace(made, received_at_ms=made.received_at_ms + rng.randrange(HOUR_MS))


def _event(rng: random.Random, number: int, listeners: int) -> Event:
    podcast = rng.random() < 0.2
    ts_ms = START_MS + rng.randrange(DAYS * DAY_MS)
    return Event(
        event_id=f"event-{number}",
        user_id=f"listener-{rng.randrange(listeners)}",
        item_id=f"talk-{rng.randrange(EPISODES)}" if podcast else f"song-{rng.randrange(SONGS)}",
        session_hint=None,
        kind="podcast" if podcast else "music",
        ts_ms=ts_ms,
        received_at_ms=ts_ms + _delay(rng),
        ms_played=rng.randrange(10 * MINUTE_MS),
        duration_ms=rng.choice((None, 5 * MINUTE_MS, 10 * MINUTE_MS)),
        utc_offset_min=rng.choice((-300, 0, 60)),
        device=rng.choice(("phone", "desktop", "car")),
        country="SE",
        rec_id=None,
        schema_version=1,
    )


def _delay(rng: random.Random) -> int:
    chance = rng.random()
    if chance < TOO_LATE:
        return rng.randrange(49 * HOUR_MS, 60 * HOUR_MS)
    if chance < TOO_LATE + LATE:
        return rng.randrange(40 * HOUR_MS)
    return rng.randrange(10 * SECOND_MS)
