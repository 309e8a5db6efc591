"""What a listen is: skip, play or replay, and what engagement it shows."""

from __future__ import annotations

from contract.event import MUSIC, PODCAST
from contract.windows import HOUR_MS, MINUTE_MS
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.tables import Listens


@compiled
def is_skip(kind: int, ms: int, constants: Constants) -> bool:
    """Tell whether a listen is a skip."""
    return ms < (constants.podcast_skip_ms if kind == PODCAST else constants.music_skip_ms)


@compiled
def tenths(skip: bool, replay: bool, constants: Constants) -> int:
    """Return the engagement of a listen, in tenths."""
    if skip:
        return constants.skip_tenths
    return constants.replay_tenths if replay else constants.play_tenths


@compiled
def is_night(ts: int, utc_offset: int, constants: Constants) -> bool:
    """Tell whether a listen ended at night by the listener's own clock."""
    hour = (ts + utc_offset * MINUTE_MS) // HOUR_MS % 24
    return hour >= constants.night_from_hour or hour < constants.night_until_hour


@compiled
def completion(ms: int, duration: int) -> float:
    """Return the heard share of a duration, at most 1."""
    return min(1.0, ms / duration)


@compiled
def mark_replays(listens: Listens, n: int, new: int, constants: Constants) -> None:
    """Mark what a new listen makes a replay: itself by an earlier play of its item, and later plays by itself.

    A replay is a play of music; equal ``ts`` is never earlier.
    """
    if is_skip(listens.kind[new], listens.ms[new], constants):
        return
    for other in range(n):
        if listens.item[other] != listens.item[new] or is_skip(listens.kind[other], listens.ms[other], constants):
            continue
        apart = listens.ts[new] - listens.ts[other]
        if 0 < apart <= constants.replay_window_ms and listens.kind[new] == MUSIC:
            listens.replay[new] = 1
        if 0 < -apart <= constants.replay_window_ms and listens.kind[other] == MUSIC:
            listens.replay[other] = 1
