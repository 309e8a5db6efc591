"""What the two versions of the toy world know: items with their genres and shows, and the second one vectors too."""

from __future__ import annotations

import numpy as np

from contract.catalogue import Catalogue, Item
from contract.versions import ItemVectors

FIRST = Catalogue.of(
    [
        Item("ska-1", "Monkeys", artist="The Rude", genre="Ska"),
        Item("folk-1", "The Mill", artist="Ann", genre="folk"),
        Item("folk-2", "The Weir", artist="Ann", genre="folk"),
        Item("jazz-1", "Blue", artist="Ben", genre="jazz"),
        Item("jazz-2", "Green", artist="Ben", genre="jazz"),
        Item("rock-1", "Stone", artist="The Loud", genre="rock"),
        Item("rock-2", "Boulder", artist="The Loud", genre="rock"),
        Item("rock-3", "Cliff", artist="The Loud", genre="rock"),
        Item("rock-4", "Quarry", artist="The Loud", genre="rock"),
        Item("hum-1", "Hum", artist="Cid"),  # nobody gave it a genre
        Item("tea-1", "Leaves", show="Tea", show_genre="talk"),
        Item("tea-2", "Cups", show="Tea", show_genre="talk"),
        Item("tea-jazz", "Songs about tea", show="Tea", show_genre="talk", genre="jazz"),  # its own genre beats its show's
        Item("radio-1", "Waves", show="Radio", show_genre="talk"),
        Item("maps-1", "North", show="Maps"),  # neither has a genre
    ]
)
"""The version ``initial``. Its genres by code point, capitals first: Ska, folk, jazz, rock, talk. It has no item vectors."""

SECOND = Catalogue.of([*FIRST.items.values(), Item("wave-1", "Tide", artist="Dee", genre="ambient")])
"""The second version. One more genre moves the components of ``genre_affinity``: Ska, ambient, folk, jazz, rock, talk."""

VECTORS = {
    "ska-1": (30.0, 0.0),
    "folk-1": (10.0, 0.0),
    "jazz-1": (0.0, 8.0),
    "jazz-2": (0.0, 24.0),
    "rock-1": (6.0, 0.0),
    "rock-2": (-6.0, 0.0),
    "wave-1": (0.0, 8.0),
}
"""The item vectors of the second version; no other item has one."""


def item_vectors() -> ItemVectors:
    """Return the vectors as a version holds them."""
    return ItemVectors(tuple(VECTORS), np.array(list(VECTORS.values())))
