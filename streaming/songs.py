"""The live path's music re-rank: the songs that the night put on a listener's first shelf, by the listening of the moment.

The night knows all listeners and all songs, and takes minutes; this knows one listener's features, and takes microseconds. So
the night says which songs are in question, and a song's score here is the sum of three parts of about equal range:

1. its place on the shelf, from 1 for the first towards 0 for the last: what the night thinks of it;
2. the listener's engagement with its genre (``genre_affinity``), as it is now;
3. the cosine of the listener's vector (``user_vector``), as it is now, with the song's.

Who has asked not to be known, and whom the night did not know, gets what is popular: the first in the night's order, by 1 alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.event import Ints, Names
from contract.features import TOP
from contract.recommendation import FOR_YOU, read_shelf
from contract.rows import FeatureColumns, Floats
from contract.version import Version
from streaming.compiled import compiled
from streaming.score import impersonal
from streaming.store import NOTHING, Rankings

Places = NDArray[np.int32]


@dataclass(frozen=True)
class Songs:
    """A version's songs in question, and what is known of them.

    ``shelves`` (listeners + 1, longest) holds places in ``names``, best first, ``NOTHING`` where a shelf is shorter; its last
    row is what is popular. ``genre`` (names) is a component of ``genre_affinity``, or one behind the last; a ``vector`` (names,
    rank) is of length 1, or 0 where a song has none.
    """

    names: tuple[str, ...]
    row: dict[str, int]
    shelves: Places
    genre: Ints
    vector: Floats

    @staticmethod
    def of(version: Version) -> Songs:
        """Read them; a build of a version is read once."""
        return _read(Version(version.folder.resolve()))

    def rows(self, users: Names, hidden: NDArray[np.bool_]) -> Ints:
        """Return the row of each listener's shelf: the last one for who is ``hidden`` or not known."""
        popular = len(self.shelves) - 1
        found = np.fromiter((self.row.get(user, popular) for user in users.tolist()), np.int64, len(users))
        return np.where(hidden, popular, found)


def top_songs(version: Version, users: Names, columns: FeatureColumns) -> Rankings | None:
    """Rank songs for n listeners by their features; None where the night put none in question."""
    songs = Songs.of(version)
    if not songs.shelves.size:
        return None
    hidden = impersonal(users, version.preferences)
    shelves = songs.shelves[songs.rows(users, hidden)]
    affinity, vector = columns["genre_affinity"], columns["user_vector"]
    assert isinstance(affinity, np.ndarray)
    assert isinstance(vector, np.ndarray)
    known = np.where(hidden[:, None], 0.0, affinity)
    wanted = np.where(hidden[:, None], 0.0, np.nan_to_num(vector))
    scores = _scores(shelves, songs.genre, known, songs.vector, wanted)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    places = np.take_along_axis(shelves, order, axis=1).astype(np.int64)
    return Rankings(users.tolist(), songs.names, places, np.take_along_axis(scores, order, axis=1))


def rank_nothing() -> None:
    """Call what is compiled here once."""
    _scores(np.empty((0, 0), np.int32), np.empty(0, np.int64), *(np.empty((0, 0)) for _ in range(3)))


@compiled
def _scores(shelves: Places, genre: Ints, affinity: Floats, vector: Floats, wanted: Floats) -> Floats:
    """Return the score of each song on each shelf, least where there is none."""
    n, longest = shelves.shape
    scores = np.full((n, longest), -np.inf)
    rank = min(vector.shape[1], wanted.shape[1])
    for i in range(n):
        for place in range(longest):
            song = shelves[i, place]
            if song != NOTHING:
                cosine = 0.0
                for k in range(rank):
                    cosine += vector[song, k] * wanted[i, k]
                liked = affinity[i, genre[song]] if genre[song] < affinity.shape[1] else 0.0
                scores[i, place] = (1 - place / longest) + liked + cosine
    return scores


@lru_cache(maxsize=4)
def _read(version: Version) -> Songs:
    names = tuple(name for name, item in version.catalogue.items.items() if item.is_song)
    place = {name: i for i, name in enumerate(names)}
    table = read_shelf(version.folder, FOR_YOU)
    popular = pa.array([[one.item for one in version.popular]], pa.list_(pa.string()))
    row = {user: i for i, user in enumerate(table.column("user_id").to_pylist())}
    return Songs(names, row, _shelves([*table.column("items").chunks, popular], place), *_known(version, names))


def _shelves(chunks: Sequence[pa.ListArray], place: Mapping[str, int]) -> Places:
    """Return the songs of lists of items; what is no song of the catalogue drops out, and the others move up."""
    parts = [_row_and_place(chunk, place) for chunk in chunks]
    counts = np.concatenate([np.bincount(row, minlength=len(chunk)) for chunk, (row, _) in zip(chunks, parts, strict=True)])
    shelves = np.full((len(counts), counts.max()), NOTHING, np.int32)
    shelves[np.arange(shelves.shape[1]) < counts[:, None]] = np.concatenate([places for _, places in parts])
    return shelves


def _row_and_place(lists: pa.ListArray, place: Mapping[str, int]) -> tuple[Ints, Places]:
    row = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy(zero_copy_only=False))
    items = lists.flatten().dictionary_encode()
    of_code = np.array([place.get(name, NOTHING) for name in items.dictionary.to_pylist()], np.int32)
    places = of_code[items.indices.to_numpy()] if len(items) else np.empty(0, np.int32)
    return row[places != NOTHING], places[places != NOTHING]


def _known(version: Version, names: Sequence[str]) -> tuple[Ints, Floats]:
    """Return each song's genre and vector."""
    items, genres = version.catalogue.items, {genre: i for i, genre in enumerate(version.catalogue.genres)}
    genre = np.array([genres.get(items[name].effective_genre or "", len(genres)) for name in names], np.int64)
    at = {name: i for i, name in enumerate(version.item_vectors.items)}
    place = np.array([at.get(name, NOTHING) for name in names], np.int64)
    found = np.vstack([version.item_vectors.matrix, np.zeros((1, version.item_vectors.rank))])[place]
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return genre, np.divide(found, length, out=np.zeros_like(found), where=length > 0)
