"""The log of a chaos run: listens with retries, late ones and garbage among them, watermarks, and versions that come and go.

It has so many days that the live path has closed the first ones in the end, and computes from both forms of its state.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from contract.catalogue import Catalogue, Item
from contract.event import Event
from contract.records import Activation, Control, Watermark, encode, partition_of
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_instant
from streaming.log import Message

START_MS = parse_instant("2026-01-01")
DAYS = 14
MIDNIGHTS = (*range(1, DAYS + 1), DAYS + 3)
"""The days that a watermark stands before; behind the last one nothing is on its way any more."""
ACTIVE_FROM_MS = {"first": 4 * DAY_MS + 9 * HOUR_MS, "second": 9 * DAY_MS}
"""When a version comes into service: in the middle of a day; right behind a watermark, as in a run. Before it is ``initial``."""
SONGS, EPISODES = 300, 60
RETRIED, LATE, TOO_LATE, GARBAGE = 0.03, 0.02, 0.005, 0.01
_GENRES = ("ambient", "jazz", "rock")


def catalogue(*more: str) -> Catalogue:
    """Return what there is to hear, of these genres too."""
    genres = (*_GENRES, *more)
    songs = [Item(f"song-{i}", f"Song {i}", artist=f"artist-{i % 20}", genre=genres[i % len(genres)]) for i in range(SONGS)]
    episodes = [Item(f"talk-{i}", f"Talk {i}", show=f"show-{i % 8}", show_genre="news") for i in range(EPISODES)]
    return Catalogue.of([*songs, *episodes])


def listener(number: int) -> str:
    """Return a listener's name."""
    return f"listener-{number}"


def messages(seed: int, events: int, listeners: int, partitions: int) -> list[Message]:
    """Return the records of all days in the order in which they are sent: so many listens, and what goes wrong on top."""
    rng = random.Random(seed)  # noqa: S311  # to be repeated, not to be a secret
    sent = [(one.received_at_ms, one.user_id.encode(), encode(one)) for one in _events(rng, events, listeners)]
    sent += [(START_MS + rng.randrange(DAYS * DAY_MS), b"nobody", b'{"event_id": ') for _ in range(int(events * GARBAGE))]
    sent.sort(key=lambda one: one[0])
    found: list[Message] = []
    controls = _controls()
    for received_ms, key, value in sent:
        while received_ms >= controls[0][0]:
            found += _everywhere(controls.pop(0)[1], partitions)
        found.append((partition_of(key.decode(), partitions), key, value))
    return [*found, *(message for _, control in controls for message in _everywhere(control, partitions))]


def _controls() -> list[tuple[int, Control]]:
    """Return when which control record is sent; of one instant the watermark comes first."""
    midnights = (START_MS + day * DAY_MS for day in MIDNIGHTS)
    controls: list[tuple[int, Control]] = [(at_ms, Watermark(at_ms)) for at_ms in midnights]
    controls += [(START_MS + after_ms, Activation(name)) for name, after_ms in ACTIVE_FROM_MS.items()]
    return sorted(controls, key=lambda control: control[0])


def _everywhere(control: Control, partitions: int) -> list[Message]:
    return [(partition, None, encode(control)) for partition in range(partitions)]


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
        user_id=listener(rng.randrange(listeners)),
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
