"""The catalogue: what is known of the items, in versions.

An item without a row is *unknown*: it drops out of the genre, show and vector features and counts in all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

AUDIO_FEATURES = ("tempo", "energy", "danceability", "valence", "acousticness", "loudness")

CATALOGUE_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("artist", pa.string()),
        pa.field("show", pa.string()),
        pa.field("genre", pa.string()),
        pa.field("show_genre", pa.string()),
        pa.field("duration_ms", pa.int64()),
        pa.field("explicit", pa.bool_(), nullable=False),
        pa.field("release_ms", pa.int64()),
        *(pa.field(name, pa.float64()) for name in AUDIO_FEATURES),
    ]
)


class Item(msgspec.Struct, frozen=True):
    """One song (``artist``) or episode (``show``). ``duration_ms`` and audio features are null where nobody knows them."""

    item_id: str
    title: str
    artist: str | None = None
    show: str | None = None
    genre: str | None = None
    show_genre: str | None = None
    duration_ms: int | None = None
    explicit: bool = False
    release_ms: int | None = None
    tempo: float | None = None
    energy: float | None = None
    danceability: float | None = None
    valence: float | None = None
    acousticness: float | None = None
    loudness: float | None = None

    @property
    def is_song(self) -> bool:
        """Whether it is a song, and no episode."""
        return self.show is None

    @property
    def effective_genre(self) -> str | None:
        """The item's own genre, else its show's."""
        return self.genre if self.genre is not None else self.show_genre


@dataclass(frozen=True)
class Catalogue:
    """One version of the catalogue, by item id in code point order."""

    items: dict[str, Item]

    @staticmethod
    def of(items: Iterable[Item]) -> Catalogue:
        """Build a catalogue; a later item of the same id wins."""
        found = {item.item_id: item for item in items}
        return Catalogue({item_id: found[item_id] for item_id in sorted(found)})

    @cached_property
    def genres(self) -> tuple[str, ...]:
        """All genres, in code point order: the components of ``genre_affinity``."""
        return tuple(sorted({g for item in self.items.values() if (g := item.effective_genre) is not None}))

    @cached_property
    def shows(self) -> tuple[str, ...]:
        """All shows, in code point order: the ranker's candidates."""
        return tuple(sorted({item.show for item in self.items.values() if item.show is not None}))

    def write(self, path: Path) -> None:
        """Write the catalogue as one Parquet file of ``CATALOGUE_SCHEMA``."""
        rows = [msgspec.structs.asdict(item) for item in self.items.values()]
        pq.write_table(pa.Table.from_pylist(rows, schema=CATALOGUE_SCHEMA), path)

    @staticmethod
    def read(path: Path) -> Catalogue:
        """Read what ``write`` wrote."""
        return Catalogue.of(Item(**row) for row in pq.read_table(path, schema=CATALOGUE_SCHEMA).to_pylist())
