"""What can be recommended, in arrays: everything that the catalogue knows, and nothing that it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from batch.engagement import Engagement
from batch.neighbours import Ints
from contract.catalogue import AUDIO_FEATURES, Catalogue
from contract.rows import Floats


@dataclass(frozen=True)
class Pool:
    """m items in columns of shape (m,), by item id.

    ``genre`` and ``artist`` (an episode's is its show) are places in ``genres`` and ``artists``, -1 where there is none.
    ``sound`` (m, 6) has the audio features, standardised and scaled to length 1, zeros where none is known. ``release_ms`` is
    NaN where nobody knows it.
    """

    items: tuple[str, ...]
    genres: tuple[str, ...]
    artists: tuple[str, ...]
    genre: Ints
    artist: Ints
    sound: Floats
    release_ms: Floats

    def __len__(self) -> int:
        return len(self.items)

    @staticmethod
    def of(catalogue: Catalogue) -> Pool:
        """Put a catalogue into arrays."""
        items = list(catalogue.items.values())
        genres, genre = _coded(item.effective_genre for item in items)
        artists, artist = _coded(item.artist or item.show for item in items)
        audio = [[getattr(item, name) for name in AUDIO_FEATURES] for item in items]
        return Pool(
            items=tuple(catalogue.items),
            genres=genres,
            artists=artists,
            genre=genre,
            artist=artist,
            sound=unit(_standard(np.array(audio, np.float64).reshape(-1, len(AUDIO_FEATURES)))),
            release_ms=np.array([item.release_ms for item in items], np.float64),
        )

    def engaged(self, heard: Engagement) -> csr_array:
        """Return everybody's engagement with the items of the pool, (n, m)."""
        return csr_array(heard.matrix @ self._places(heard))

    def counts(self, heard: Engagement, plays: Ints) -> Floats:
        """Return counts that are aligned with an engagement's items, (items, c), as counts of the pool's, (m, c)."""
        return np.asarray(self._places(heard).T @ plays.astype(np.float64))

    def _places(self, heard: Engagement) -> csr_array:
        place = {item: j for j, item in enumerate(self.items)}
        known = [(i, place[item]) for i, item in enumerate(heard.items) if item in place]
        there = ([i for i, _ in known], [j for _, j in known])
        return csr_array((np.ones(len(known)), there), (len(heard.items), len(self)))


def unit(vectors: Floats) -> Floats:
    """Scale rows to length 1; rows of zeros stay."""
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, norm, out=np.zeros_like(vectors), where=norm > 0))


def _coded(names: Iterable[str | None]) -> tuple[tuple[str, ...], Ints]:
    found = list(names)
    known = sorted({name for name in found if name is not None})
    place = {name: code for code, name in enumerate(known)}
    return tuple(known), np.array([-1 if name is None else place[name] for name in found], np.int64)


def _standard(audio: Floats) -> Floats:
    """Return each feature less its mean, in standard deviations; what is not known stands at the mean."""
    known = ~np.isnan(audio)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, audio - np.nansum(audio, axis=0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0))
