"""What the collector gets: most events at once, some days late from phones that were offline, some twice, some broken."""

from __future__ import annotations

import msgspec
import numpy as np

from contract.event import DEVICES, KINDS, NO_DURATION, Events, Names
from contract.records import partition_of
from contract.windows import DAY_MS, HOUR_MS, SECOND_MS
from lab.world.chance import Ints
from lab.world.listeners import Listeners
from lab.world.listening import Listens
from lab.world.stock import Stock

LATEST_UPLOAD_H = 40
"""Offline phones upload within this; retries follow within ``LATEST_RETRY_H``: together under the 48 h of a late event."""
LATEST_RETRY_H = 5
WITHOUT_DURATION = 0.04
LISTENERS_FOR_ALL_KINDS = 500


def collected(rng: np.random.Generator, day: int, listens: Listens, listeners: Listeners, stock: Stock) -> Events:
    """Return the events of some listens with the copies that clients sent again, in no order."""
    m = len(listens)
    who = listens.listener
    durations = np.concatenate([stock.song_ms, stock.episode_ms])[listens.item]
    own_device = rng.random(m) < 0.85
    offline = rng.random(m) < listeners.offline[who]
    delay = np.where(offline, rng.uniform(1, LATEST_UPLOAD_H, m) * HOUR_MS, rng.uniform(0.05, 3, m) * SECOND_MS)
    first = Events(
        offset=np.zeros(m, np.int64),
        event_id=_ids(day, m),
        user_id=listeners.ids[who],
        item_id=stock.item_ids[listens.item],
        session_hint=np.full(m, None, object),
        kind=(listens.item >= len(stock.song_ids)).astype(np.uint8),
        ts_ms=listens.end_ms,
        received_at_ms=listens.end_ms + delay.astype(np.int64),
        ms_played=listens.ms_played,
        duration_ms=np.where(rng.random(m) < WITHOUT_DURATION, NO_DURATION, durations),
        utc_offset_min=listeners.utc_offset_min[who],
        device=np.where(own_device, listeners.device[who], rng.integers(0, len(DEVICES), m)).astype(np.uint8),
        country=listeners.country[who],
        rec_id=np.full(m, None, object),
    )
    again = first.take(rng.random(m) < listeners.retries[who])
    later = (rng.uniform(0, LATEST_RETRY_H, len(again)) * HOUR_MS).astype(np.int64) + 1
    return Events.concat([first, again.replace(received_at_ms=again.received_at_ms + later)])


def in_order(events: Events) -> Events:
    """Sort by arrival; equal instants by id."""
    return events.take(np.lexsort((events.event_id.astype(str), events.received_at_ms)))


BROKEN = (
    {"ms_played": 30_000.0},
    {"ms_played": True},
    {"ts_ms": "yesterday"},
    {"kind": "audiobook"},
    {"device": "fridge"},
    {"schema_version": 2},
    {"utc_offset_min": 900},
    {"ms_played": -1},
)
"""What broken clients send: one field each that no reader may accept."""


def malformed(
    rng: np.random.Generator, day_ms: int, listeners: Listeners, partitions: int
) -> list[tuple[int, int, bytes, bytes]]:
    """Return a day's bad records as (arrival ms, partition, key, value), by arrival.

    Each of another kind, and in a small world fewer of them: operations bear some bad records, not a flood.
    """
    kinds = len(BROKEN) + 6
    count = min(kinds, kinds * len(listeners) // LISTENERS_FOR_ALL_KINDS)
    arrivals: Ints = np.sort(day_ms + HOUR_MS + rng.integers(0, DAY_MS - 2 * HOUR_MS, count))
    who = listeners.ids[rng.integers(0, len(listeners), count)]
    which = np.sort(rng.choice(kinds, count, replace=False)).tolist()
    return [_bad(i, int(at), user, partitions) for i, at, user in zip(which, arrivals, who, strict=True)]


def _bad(i: int, at: int, user: str, partitions: int) -> tuple[int, int, bytes, bytes]:
    document = {
        "event_id": f"bad-{at}-{i}", "user_id": user, "item_id": "song-0001", "session_hint": None, "kind": KINDS[0],
        "ts_ms": at, "received_at_ms": at, "ms_played": 60_000, "duration_ms": 180_000, "utc_offset_min": 0,
        "device": DEVICES[0], "country": "SE", "rec_id": None, "schema_version": 1,
    }  # fmt: skip
    home = partition_of(user, partitions)
    key = user.encode()
    if i < len(BROKEN):
        return at, home, key, _json({**document, **BROKEN[i]})
    variants: list[tuple[int, bytes, bytes]] = [
        (home, key, b'{"event_id": "half a rec'),
        (home, key, _json({name: value for name, value in document.items() if name != "item_id"})),
        (home, b"somebody-else", _json(document)),
        ((home + 1) % partitions, key, _json(document if partitions > 1 else {})),
        (home, key, _json({**document, "received_at_ms": at + 60 * DAY_MS})),
        (home, key, _json({**document, "ts_ms": at - 4 * DAY_MS})),
    ]
    partition, key, value = variants[i - len(BROKEN)]
    return at, partition, key, value


def _json(document: object) -> bytes:
    return msgspec.json.encode(document)


def _ids(day: int, m: int) -> Names:
    found = np.empty(m, object)
    found[:] = [f"{day + 10_000:05d}-{i:07d}" for i in range(m)]
    return found
