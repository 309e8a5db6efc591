"""Which shows are told to a listener: those of the stored row, or what is popular where past listening may not be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.features import TOP
from contract.preferences import Preference
from contract.version import Version


def shown(row: Mapping[str, Any], wishes: Preference, version: Version | None) -> list[tuple[str, float]]:
    """Return up to ``TOP`` shows with their scores, best first.

    ``version`` is that of the row. Without anything personal the score is a show's popularity, and equals stand by name; there
    is nothing where the version is not at hand.
    """
    if wishes.personal:
        return list(zip(row["shows"] or [], row["scores"] or [], strict=True))
    ranker = version.ranker if version else None
    best = sorted(ranker.shows, key=lambda show: (-show.popularity, show.show)) if ranker else []
    return [(show.show, show.popularity) for show in best[:TOP]]
