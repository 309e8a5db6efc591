"""What listeners do on a day: sessions of songs, and episodes begun, put away and resumed.

All sittings of an episode belong to the day on which it was begun, though the later ones may fall on the next days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from lab.world.chance import Floats, Ints, draw
from lab.world.listeners import FAVOURITES, Listeners
from lab.world.stock import Stock

HOUR_WEIGHTS = np.array([1, 1, 0.5, 0.3, 0.3, 0.6, 2, 4, 5, 4, 3, 3, 4, 4, 3, 3, 4, 6, 7, 6, 6, 6, 5, 3], np.float64)
"""How likely a session begins in each local hour: commutes and evenings."""


@dataclass(frozen=True)
class Listens:
    """m listens in columns of shape (m,): listener and item codes (``Stock.item_ids``), when it ended, how much was played."""

    listener: Ints
    item: Ints
    end_ms: Ints
    ms_played: Ints

    def __len__(self) -> int:
        return len(self.listener)


def begun(rng: np.random.Generator, day_ms: int, active: Ints, listeners: Listeners, stock: Stock) -> Listens:
    """Return what the listeners ``active`` begin on the day that starts at ``day_ms``, in no order."""
    parts = [_music(rng, day_ms, active, listeners, stock), _podcasts(rng, day_ms, active, listeners, stock)]
    return Listens(*(np.concatenate([getattr(p, name) for p in parts]) for name in Listens.__annotations__))


def _music(rng: np.random.Generator, day_ms: int, active: Ints, listeners: Listeners, stock: Stock) -> Listens:
    sessions = np.repeat(active, rng.poisson(listeners.music_sessions[active]))
    begin = _starts(rng, day_ms, sessions, listeners)
    lengths = rng.geometric(1 / 4.5, len(sessions))
    session = np.repeat(np.arange(len(sessions)), lengths)
    who = sessions[session]
    song = _songs(rng, who, listeners, stock)
    played = _song_played(rng, listeners.music_taste[who, stock.song_genre[song]], stock.song_ms[song])
    pause = rng.integers(200, 4 * SECOND_MS, len(song))
    spent = np.cumsum(played + pause)
    first = np.cumsum(lengths) - lengths
    before = (spent - played - pause)[first]
    return Listens(who, song, begin[session] + spent - before[session], played)


def _songs(rng: np.random.Generator, who: Ints, listeners: Listeners, stock: Stock) -> Ints:
    """Mostly by taste, then by popularity within the genre; every fourth is one of the listener's favourites."""
    genre = draw(rng, np.cumsum(listeners.music_taste, axis=1)[who])
    popularity = np.where(
        stock.song_genre[None, :] == np.arange(listeners.music_taste.shape[1])[:, None], stock.song_popularity, 0.0
    )
    by_genre = np.cumsum(popularity, axis=1)
    song = np.empty(len(who), np.int64)
    for code in range(len(by_genre)):
        picked = np.flatnonzero(genre == code)
        song[picked] = np.searchsorted(by_genre[code], rng.random(len(picked)) * by_genre[code, -1], side="right")
    favourite = listeners.favourites[who, rng.integers(0, FAVOURITES, len(who))]
    return np.where(rng.random(len(who)) < 0.25, favourite, np.minimum(song, len(stock.song_ids) - 1))


def _song_played(rng: np.random.Generator, taste: Floats, song_ms: Ints) -> Ints:
    """Draw how long each song plays: the less a listener likes its genre, the likelier it is skipped within half a minute."""
    skip = rng.random(len(taste)) < skip_chance(taste)
    skipped = rng.uniform(1, 29, len(taste)) * SECOND_MS
    whole = rng.random(len(taste)) < 0.75
    part = 30 * SECOND_MS + rng.random(len(taste)) * (song_ms - 30 * SECOND_MS)
    return np.where(skip, skipped, np.where(whole, song_ms, part)).astype(np.int64)


def skip_chance(taste: Floats) -> Floats:
    """Return the truth of songs: how likely a listener skips one, by the listener's taste for its genre (0 to 1)."""
    return np.asarray(0.08 + 0.5 * np.exp(-6 * taste))


def _podcasts(rng: np.random.Generator, day_ms: int, active: Ints, listeners: Listeners, stock: Stock) -> Listens:
    who = np.repeat(active, rng.poisson(listeners.episode_starts[active]))
    show = draw(rng, np.cumsum(0.08 + listeners.liking, axis=1)[who])  # what is liked is begun more often, but all is tried
    per_show = len(stock.episode_ids) // len(stock.show_ids)
    episode = show * per_show + rng.integers(0, per_show, len(who))
    finishes = rng.random(len(who)) < listeners.liking[who, show]
    share = np.where(finishes, rng.uniform(0.8, 1.0, len(who)), rng.uniform(0.03, 0.35, len(who)))
    total = share * stock.episode_ms[episode]
    sittings = np.ceil(total / listeners.sitting_ms[who]).astype(np.int64)
    begin = _starts(rng, day_ms, who, listeners)
    return _in_sittings(rng, who, episode + len(stock.song_ids), begin, total, sittings)


def _in_sittings(rng: np.random.Generator, who: Ints, item: Ints, begin: Ints, total: Floats, sittings: Ints) -> Listens:
    """Cut each episode into equal sittings, half an hour to five hours apart."""
    episode = np.repeat(np.arange(len(who)), sittings)
    played = (total / np.maximum(sittings, 1))[episode].astype(np.int64)
    apart = rng.uniform(0.5, 5, len(episode)) * HOUR_MS
    spent = np.cumsum(played + apart)
    first = (np.cumsum(sittings) - sittings)[sittings > 0]
    before = np.zeros(len(who))
    before[sittings > 0] = (spent - played - apart)[first]
    end = begin[episode] + (spent - apart - before[episode]).astype(np.int64)
    return Listens(who[episode], item[episode], end, played)


def _starts(rng: np.random.Generator, day_ms: int, who: Ints, listeners: Listeners) -> Ints:
    """Draw when something begins: by the listener's local hour, within the UTC day."""
    hour = draw(rng, np.broadcast_to(np.cumsum(HOUR_WEIGHTS), (len(who), 24)))
    local_ms = hour * HOUR_MS + rng.integers(0, HOUR_MS, len(who))
    return day_ms + (local_ms - listeners.utc_offset_min[who] * MINUTE_MS) % DAY_MS
