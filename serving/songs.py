"""Which songs are told to a listener: those that the live path ranked, or what is popular where the past may not be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contract.preferences import Preference, impersonal
from contract.recommendation import FOR_YOU, Recommended
from contract.version import Version
from serving.copy import Shelves
from serving.telling import item_document

Ranking = Sequence[tuple[str, float]]


def songs_document(user_id: str, ranked: Ranking, shelves: Shelves, wishes: Preference, version: Version) -> list[dict[str, Any]]:
    """Return a listener's songs for scripts, best first, with their scores and the reasons that the night had for them.

    ``ranked`` is the live path's ranking by ``version``, which knows what listeners had asked for; ``shelves`` are the
    listener's in that version, none where it did not know them; ``wishes`` are today's.
    """
    return [item_document(one, version.catalogue) for one in _songs(user_id, ranked, shelves, wishes, version)]


def _songs(user_id: str, ranked: Ranking, shelves: Shelves, wishes: Preference, version: Version) -> Sequence[Recommended]:
    held = version.preferences.get(user_id, Preference())
    if not wishes.personal or not held.personal:
        popular = impersonal(version.popular, wishes if not wishes.personal else held)
        return [one for one in popular if _is_song(one.item, version)]
    why = {one.item: one.reasons for one in shelves.get(FOR_YOU, version.popular)}
    return [Recommended(song, score, why.get(song, ())) for song, score in ranked]


def _is_song(item: str, version: Version) -> bool:
    known = version.catalogue.items.get(item)
    return known is not None and known.is_song
