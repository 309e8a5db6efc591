"""The shows that the live path ranks for a listener, explained from the very row that they were ranked by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from contract.errors import InfrastructureError, UsageError
from contract.keys import EVENTS, SONGS
from contract.preferences import Preference
from contract.ranker import Show
from contract.settings import Settings
from contract.versions import Version, Versions
from lab.stack import addresses, open_stack
from lab.words import often, percent
from serving.rows import stored_ranking
from serving.shows import shown
from streaming.redis_store import connect

LIKED = 0.5
"""Whoever plays half of what a genre has to offer likes it: 0.5 is the engagement of a play."""


@dataclass(frozen=True)
class Ranked:
    """A show with its score, and why it stands where it stands."""

    show: str
    score: float
    why: str


def live_row(settings: Settings, user: str) -> tuple[dict[str, Any], list[tuple[str, float]]]:
    """Return a listener's row as the live path last stored it, and the songs that it ranked with it.

    Raises:
        InfrastructureError: no stack runs, or it does not answer.
        UsageError: the live path does not know the listener.
    """
    addresses(settings)  # a stack that runs apart from this program; none is started for a question
    with open_stack(settings) as stack, connect(stack.redis) as client:
        try:
            partitions = len(stack.log.ends(EVENTS))
            found = stored_ranking(client, user, partitions, SONGS, Versions(settings.places.versions).get)
        except (redis.exceptions.RedisError, redis.exceptions.RedisClusterException) as error:
            raise InfrastructureError("Redis did not give the row", str(error), "See 'skewlab doctor'") from error
    if found is None:
        why = "it has counted no listen of theirs in the last 28 days"
        raise UsageError(f"The live path knows no listener '{user}'", why, "See whether 'skewlab stream' is up to date")
    return found


def live_shows(version: Version, row: Mapping[str, Any], wishes: Preference) -> list[Ranked]:
    """Return the shows of a row of a version, best first; only what is popular where past listening may not be used."""
    known = {show.show: show for show in version.ranker.shows} if version.ranker else {}
    held = version.preferences.get(row["user_id"], Preference())
    personal = wishes.personal and held.personal
    return [
        Ranked(name, score, _why(known.get(name), row, version) if personal else _popular(known.get(name)))
        for name, score in shown(row, wishes, version)
    ]


def _why(show: Show | None, row: Mapping[str, Any], version: Version) -> str:
    if show is None:
        return ""
    listens = (row["show_listens_28d"] or {}).get(show.show, 0)
    if listens:
        return _heard(listens, (row["show_completion_28d"] or {}).get(show.show))
    if show.genre and _liking(show.genre, row, version) >= LIKED:
        return f"You have not heard it in the last four weeks, but {show.genre} is a genre that you enjoy."
    return f"You have not heard it in the last four weeks. {_popular(show)}"


def _heard(listens: int, completion: float | None) -> str:
    heard = f"You listened to it {often(listens)} in the last four weeks"
    if completion is None:
        return f"{heard}."
    if completion > 0.995:
        return f"{heard}, {'' if listens == 1 else 'always '}to the end."
    return f"{heard}, and you hear {percent(completion)} of an episode on average."


def _popular(show: Show | None) -> str:
    if show is None:
        return ""
    return f"{percent(show.popularity)} of all listeners heard it." if show.popularity > 0 else "Few have found it so far."


def _liking(genre: str, row: Mapping[str, Any], version: Version) -> float:
    genres = version.catalogue.genres
    affinity = row["genre_affinity"] or []
    return affinity[genres.index(genre)] if genre in genres and len(affinity) == len(genres) else 0.0
