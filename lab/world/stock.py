"""What there is to hear: songs by artists of genres that sound alike, and shows with short or long episodes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from contract.catalogue import AUDIO_FEATURES, Catalogue, Item
from contract.windows import DAY_MS, MINUTE_MS, SECOND_MS
from lab.world.chance import Floats, Ints, stream

MUSIC_GENRES = ("ambient", "blues", "classical", "electronic", "folk", "hip-hop", "jazz", "metal", "pop", "rock")
TALK_GENRES = ("comedy", "history", "news", "science", "society", "sport")
ARTISTS_A_GENRE, SONGS_AN_ARTIST = 12, 5
SHOWS, EPISODES_A_SHOW = 40, 24
WITHOUT_GENRE = 0.03
"""The share of songs that nobody has put under a genre: they drop out of the genre features."""


@dataclass(frozen=True)
class Stock:
    """Songs and episodes in arrays; the codes are places in ``song_ids``, ``episode_ids`` and ``show_ids``.

    ``song_genre`` is what a song *is*; the catalogue may not know it. ``episode_show`` (episodes,), durations in ms.
    """

    song_ids: tuple[str, ...]
    song_genre: Ints
    song_popularity: Floats
    song_ms: Ints
    show_ids: tuple[str, ...]
    show_genre: Ints
    episode_ids: tuple[str, ...]
    episode_show: Ints
    episode_ms: Ints
    catalogue: Catalogue

    @cached_property
    def item_ids(self) -> np.ndarray:
        """All ids: the songs, then the episodes."""
        found = np.empty(len(self.song_ids) + len(self.episode_ids), object)
        found[:] = [*self.song_ids, *self.episode_ids]
        return found


def make_stock(seed: int, start_ms: int) -> Stock:
    """Make the songs and shows of a world."""
    rng = stream(seed, "stock")
    songs = len(MUSIC_GENRES) * ARTISTS_A_GENRE * SONGS_AN_ARTIST
    genre = np.repeat(np.arange(len(MUSIC_GENRES)), ARTISTS_A_GENRE * SONGS_AN_ARTIST)
    minutes = np.where(rng.random(SHOWS) < 0.5, rng.uniform(14, 24, SHOWS), rng.uniform(40, 80, SHOWS))  # short shows, long shows
    show = np.repeat(np.arange(SHOWS), EPISODES_A_SHOW)
    song_ms = (rng.uniform(140, 300, songs) * SECOND_MS).astype(np.int64)
    episode_ms = (minutes[show] * rng.uniform(0.8, 1.2, len(show)) * MINUTE_MS).astype(np.int64)
    show_genre = rng.permutation(np.arange(SHOWS) % len(TALK_GENRES))
    known = rng.random(songs) >= WITHOUT_GENRE
    song_items = _songs(rng, genre, known, song_ms, start_ms)
    episode_items = _episodes(rng, show, show_genre, episode_ms, start_ms)
    return Stock(
        song_ids=tuple(item.item_id for item in song_items),
        song_genre=genre,
        song_popularity=np.asarray(
            1.0 / (1.0 + rng.permutation(songs) % 60), np.float64
        ),  # a few hits in each genre, a long tail
        song_ms=song_ms,
        show_ids=tuple(f"show-{i:02d}" for i in range(SHOWS)),
        show_genre=show_genre,
        episode_ids=tuple(item.item_id for item in episode_items),
        episode_show=show,
        episode_ms=episode_ms,
        catalogue=Catalogue.of([*song_items, *episode_items]),
    )


def _songs(rng: np.random.Generator, genre: Ints, known: np.ndarray, ms: Ints, start_ms: int) -> list[Item]:
    """Songs of a genre lie around its centre in the space of audio features."""
    low = np.array([60.0, 0.0, 0.0, 0.0, 0.0, -40.0])
    high = np.array([190.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    centre = rng.uniform(0.15, 0.85, (len(MUSIC_GENRES), len(AUDIO_FEATURES)))
    sound = low + (high - low) * np.clip(centre[genre] + rng.normal(0, 0.08, (len(genre), len(AUDIO_FEATURES))), 0, 1)
    age = rng.integers(30, 9000, len(genre))
    explicit = rng.random(len(genre)) < 0.1
    return [
        Item(
            item_id=f"song-{i:04d}",
            title=f"Song {i}",
            artist=f"artist-{i // SONGS_AN_ARTIST:03d}",
            genre=MUSIC_GENRES[genre[i]] if known[i] else None,
            duration_ms=int(ms[i]),
            explicit=bool(explicit[i]),
            release_ms=start_ms - int(age[i]) * DAY_MS,
            **dict(zip(AUDIO_FEATURES, sound[i].tolist(), strict=True)),
        )
        for i in range(len(genre))
    ]


def _episodes(rng: np.random.Generator, show: Ints, show_genre: Ints, ms: Ints, start_ms: int) -> list[Item]:
    age = rng.integers(30, 900, len(show))
    return [
        Item(
            item_id=f"episode-{show[i]:02d}-{i % EPISODES_A_SHOW:02d}",
            title=f"Show {show[i]}, episode {i % EPISODES_A_SHOW + 1}",
            show=f"show-{show[i]:02d}",
            show_genre=TALK_GENRES[show_genre[show[i]]],
            duration_ms=int(ms[i]),
            release_ms=start_ms - int(age[i]) * DAY_MS,
        )
        for i in range(len(show))
    ]
