"""Who listens: tastes, habits, places and devices; and how much each listener truly likes each show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from contract.event import DEVICES, Names
from lab.world.chance import Floats, Ints, sigmoid, stream
from lab.world.stock import MUSIC_GENRES, SHOWS, TALK_GENRES, Stock

COUNTRIES = (("BR", -180), ("DE", 60), ("GB", 0), ("IN", 330), ("JP", 540), ("SE", 60), ("US", -300), ("US", -480))
"""Country and offset from UTC in minutes."""
FAVOURITES = 6
BLOCK = 4096
"""Listeners whose songs are weighed at a time: bounds the memory to ``BLOCK`` x songs."""


@dataclass(frozen=True)
class Listeners:
    """n listeners in columns of shape (n,) where nothing else is said.

    ``music_taste`` (n, genres) sums to 1; ``liking`` (n, shows) is the truth: the probability of finishing at least half of an
    episode of the show, once begun. ``sitting_ms`` is how long somebody listens to a podcast before putting it away: for
    resumers some minutes, for others longer than any episode. ``favourites`` (n, FAVOURITES) are song codes.
    """

    music_taste: Floats
    liking: Floats
    sitting_ms: Floats
    music_sessions: Floats
    episode_starts: Floats
    idle: Floats
    favourites: Ints
    place: Ints
    device: Ints
    offline: Floats
    retries: Floats
    joined_day: Ints

    def __len__(self) -> int:
        return len(self.idle)

    @cached_property
    def ids(self) -> Names:
        """The listeners' names, in order."""
        found = np.empty(len(self), object)
        found[:] = [f"user-{i:06d}" for i in range(len(self))]
        return found

    @cached_property
    def country(self) -> Names:
        """ISO country of each."""
        return np.array([name for name, _ in COUNTRIES], object)[self.place]

    @cached_property
    def utc_offset_min(self) -> Ints:
        """Minutes ahead of UTC of each."""
        return np.array([offset for _, offset in COUNTRIES], np.int64)[self.place]


def make_listeners(seed: int, n: int, stock: Stock, history_days: int) -> Listeners:
    """Make the listeners of a world; the first k of a bigger world are not those of a smaller one."""
    rng = stream(seed, "listeners")
    music_taste = rng.dirichlet(np.full(len(MUSIC_GENRES), 0.4), n)
    kind = rng.random(n)  # music only, podcasts only, both
    podcasts = np.where(kind < 0.12, 0.0, np.where(kind < 0.22, 1.0, rng.beta(2, 2, n)))
    activity = rng.gamma(2.0, 0.5, n)
    return Listeners(
        music_taste=music_taste,
        liking=_liking(rng, n, stock),
        sitting_ms=_sittings(rng, n),
        music_sessions=np.where(podcasts < 1, 2.6 * activity * (1 - podcasts / 2), 0.0),
        episode_starts=2.0 * activity * podcasts,
        idle=rng.beta(1.5, 6, n),
        favourites=_favourites(rng, music_taste, stock),
        place=rng.choice(len(COUNTRIES), n, p=[0.1, 0.15, 0.15, 0.1, 0.1, 0.15, 0.15, 0.1]),
        device=rng.choice(len(DEVICES), n, p=[0.55, 0.2, 0.1, 0.1, 0.05]),
        offline=np.where(rng.random(n) < 0.15, 0.3, 0.0),
        retries=np.where(rng.random(n) < 0.2, 0.08, 0.005),
        joined_day=np.where(rng.random(n) < 0.9, -history_days, rng.integers(-history_days, 14, n)),
    )


def _liking(rng: np.random.Generator, n: int, stock: Stock) -> Floats:
    """Taste for a show's genre, how good the show is, and what nobody could guess. Its length plays no part."""
    taste = rng.normal(0, 1, (n, len(TALK_GENRES)))
    quality = rng.normal(0, 0.5, SHOWS)
    return sigmoid(-2.0 + 1.3 * taste[:, stock.show_genre] + quality + rng.normal(0, 1.8, (n, SHOWS)))


def _sittings(rng: np.random.Generator, n: int) -> Floats:
    """Two thirds listen on the way somewhere, in sittings; the others hear an episode to where they want to."""
    resumers = rng.random(n) < 0.67
    return np.where(resumers, rng.uniform(8, 20, n), 1e6) * 60_000


def _favourites(rng: np.random.Generator, taste: Floats, stock: Stock) -> Ints:
    """Draw songs by taste and popularity, without replacement (Efraimidis & Spirakis 2006); a block of listeners at a time."""
    found = np.empty((len(taste), FAVOURITES), np.int64)
    for start in range(0, len(taste), BLOCK):
        weights = stock.song_popularity * taste[start : start + BLOCK, stock.song_genre]
        keys = np.log(rng.random(weights.shape)) / np.maximum(weights, 1e-12)
        found[start : start + BLOCK] = np.argsort(-keys, axis=1)[:, :FAVOURITES]
    return found
