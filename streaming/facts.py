"""What the active version says of items, by item code: looked up once per item, not once per listen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from contract.event import Ints
from contract.rows import Floats
from contract.versions import Version

UNKNOWN = -1


class Codes(NamedTuple):
    """By item code the codes of its genre, show and vector (``UNKNOWN`` where there is none); and the vectors."""

    genre: Ints
    show: Ints
    vector: Ints
    vectors: Floats


@dataclass
class Facts:
    """The facts of a version, of as many items as have been seen; genres and shows stand in the order of their codes."""

    version: Version
    codes: Codes
    names: Sequence[str] = ()
    """The items' names, in the order of their codes."""

    @staticmethod
    def of(version: Version) -> Facts:
        """Begin with no item."""
        nothing = np.empty(0, np.int64)
        vectors = version.item_vectors.matrix
        return Facts(version, Codes(nothing, nothing, nothing, vectors if vectors.size else np.empty((0, 0))))

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres."""
        return self.version.catalogue.genres

    @property
    def shows(self) -> tuple[str, ...]:
        """The shows."""
        return self.version.catalogue.shows

    def know(self, names: Sequence[str]) -> None:
        """Look up the items that have come since the last time; ``names`` are all of them, in the order of their codes."""
        self.names = names
        fresh = names[len(self.codes.genre) :]
        if not fresh:
            return
        items = [self.version.catalogue.items.get(name) for name in fresh]
        genres, shows, places = self._places
        found = (
            (genres.get(item.effective_genre or "", UNKNOWN) if item else UNKNOWN for item in items),
            (shows.get(item.show or "", UNKNOWN) if item else UNKNOWN for item in items),
            (places.get(name, UNKNOWN) for name in fresh),
        )
        columns = [_more(column, values) for column, values in zip(self.codes[:3], found, strict=True)]
        self.codes = Codes._make([*columns, self.codes.vectors])

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        catalogue, vectors = self.version.catalogue, self.version.item_vectors
        genres, shows, places = (
            {name: code for code, name in enumerate(names)} for names in (catalogue.genres, catalogue.shows, vectors.items)
        )
        return genres, shows, places


def _more(column: Ints, values: Iterable[int]) -> Ints:
    return np.concatenate([column, np.fromiter(values, np.int64)])
