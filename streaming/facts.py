"""What the active version says of items, by item code: looked up once per item, not once per listen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.rows import Floats
from contract.versions import Version
from streaming.tables import Table

UNKNOWN = -1


@dataclass(frozen=True)
class Facts:
    """Per item code the codes of its genre, show and vector (``UNKNOWN`` where there is none), and what the codes stand for."""

    genre: NDArray[np.int64]
    show: NDArray[np.int64]
    vector: NDArray[np.int64]
    genres: tuple[str, ...]
    shows: tuple[str, ...]
    vectors: Floats

    def of(self, table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return genre, show and vector codes for the items of a table."""
        items = table["item"]
        return self.genre[items], self.show[items], self.vector[items]


def look_up(version: Version, names: list[str]) -> Facts:
    """Build the facts of some items, named in the order of their codes."""
    catalogue, vectors = version.catalogue, version.item_vectors
    known = [catalogue.items.get(name) for name in names]
    genres = {name: code for code, name in enumerate(catalogue.genres)}
    shows = {name: code for code, name in enumerate(catalogue.shows)}
    places = {name: code for code, name in enumerate(vectors.items)}
    return Facts(
        genre=_codes(genres.get(item.effective_genre or "", UNKNOWN) if item else UNKNOWN for item in known),
        show=_codes(shows.get(item.show or "", UNKNOWN) if item else UNKNOWN for item in known),
        vector=_codes(places.get(name, UNKNOWN) for name in names),
        genres=catalogue.genres,
        shows=catalogue.shows,
        vectors=vectors.matrix,
    )


def _codes(values: object) -> NDArray[np.int64]:
    return np.fromiter(values, np.int64)  # type: ignore[call-overload, no-any-return]
