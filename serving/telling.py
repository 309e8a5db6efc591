"""An item of a shelf as it is told: its title, whose it is, and why it is there."""

from __future__ import annotations

from typing import Any

from contract.catalogue import Catalogue
from contract.recommendation import Recommended, sentence


def item_document(one: Recommended, catalogue: Catalogue) -> dict[str, Any]:
    """Return a recommended item for scripts; ``title`` is the id and ``by`` is None where the catalogue does not know it."""
    item = catalogue.items.get(one.item)
    return {
        "item": one.item,
        "title": item.title if item else one.item,
        "by": (item.artist or item.show) if item else None,
        "score": one.score,
        "because": sentence(one.reasons, catalogue),
    }
