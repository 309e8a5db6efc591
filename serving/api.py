"""A thin read API over what the paths stored: health, a listener's features, scores and recommendations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import redis
from fastapi import FastAPI, HTTPException

from contract.catalogue import Catalogue
from contract.errors import SkewlabError
from contract.features import NAMES
from contract.home import Home
from contract.keys import SONGS, key
from contract.preferences import Preference, WatchedPreferences
from contract.recommendation import read_shelves
from contract.versions import Version, Versions
from serving.copy import Shelves, served
from serving.rows import stored_ranking, stored_row
from serving.shows import shown
from serving.songs import songs_document
from serving.telling import item_document


def make_api(client: redis.Redis, partitions: int, home: Home | None = None) -> FastAPI:
    """Make the application over an open Redis.

    ``home`` knows what listeners have asked for and what items are called; without one no shelves are served, and nobody is
    known to have asked for anything.
    """
    api = FastAPI(title="Skewlab", docs_url=None, redoc_url=None)
    wishes = WatchedPreferences(home.preferences) if home else None
    version_of = _published(Versions(home.versions)) if home else lambda _: None

    @api.get("/health")
    def health() -> dict[str, Any]:
        """Tell whether Redis answers, and where each partition stands."""
        return {"partitions": {p: _standing(client, p) for p in range(partitions)}}

    @api.get("/listeners/{user_id}/features")
    def features(user_id: str) -> dict[str, Any]:
        """Return a listener's features as last computed, with the instant they are of."""
        row = _row(client, user_id, partitions, version_of)
        return {name: row[name] for name in ("user_id", "as_of_ms", "cut", "version", *NAMES)}

    @api.get("/listeners/{user_id}/shows")
    def shows(user_id: str) -> dict[str, Any]:
        """Return the first ten shows for a listener, with their scores."""
        row = _row(client, user_id, partitions, version_of)
        with _answering():
            pairs = shown(row, wishes.of(user_id) if wishes else Preference(), version_of(row["version"]))
        return {
            "user_id": user_id,
            "as_of_ms": row["as_of_ms"],
            "shows": [{"show": show, "score": score} for show, score in pairs],
        }

    if wishes is not None:
        api.get("/listeners/{user_id}/songs")(_songs(client, partitions, wishes, version_of))
        api.get("/listeners/{user_id}/recommendations")(_recommendations(client, wishes, version_of))
    return api


def _published(versions: Versions) -> Callable[[str], Version | None]:
    """Return how to find a published version, None where there is none; the last ones asked for are kept, as they were read."""
    read = lru_cache(4)(versions.get)
    return lambda name: read(name) if name in versions.names() else None


def _songs(
    client: redis.Redis, partitions: int, wishes: WatchedPreferences, version_of: Callable[[str], Version | None]
) -> Callable[..., dict[str, Any]]:
    """Make the answer to which songs come first now: the live path's ranking, by the settings as they are now."""

    def songs(user_id: str) -> dict[str, Any]:
        """Return the first ten songs for a listener, ranked with the row that the live path last computed."""
        with _answering():
            found, wish = stored_ranking(client, user_id, partitions, SONGS, version_of), wishes.of(user_id)
        if found is None:
            raise HTTPException(404, f"Nothing is known of '{user_id}'")
        row, ranked = found
        version = version_of(row["version"])
        with _answering():
            told = songs_document(user_id, ranked, _shelves(client, version, user_id), wish, version) if version else []
        return {"user_id": user_id, "as_of_ms": row["as_of_ms"], "version": row["version"], "songs": told}

    return songs


def _shelves(client: redis.Redis, version: Version, user_id: str) -> Shelves:
    """Return a listener's shelves of a version: from its copy, or from the version itself where another one is copied."""
    copy = served(client)
    if copy is None or copy.label.version != version.name:
        return read_shelves(version.folder, user_id)
    return copy.shelves(user_id, Preference()) or {}


def _recommendations(
    client: redis.Redis, wishes: WatchedPreferences, version_of: Callable[[str], Version | None]
) -> Callable[..., dict[str, Any]]:
    """Make the answer to what is recommended: from the copy in Redis, by the settings as they are now."""

    def recommendations(user_id: str, shelf: str | None = None) -> dict[str, Any]:
        """Return a listener's shelves, or one of them, each item with its reasons in words."""
        with _answering():
            copy, wish = served(client), wishes.of(user_id)
            found = copy.shelves(user_id, wish) if copy else None
        if copy is None:
            raise HTTPException(404, "No version's recommendations are in this Redis")
        if found is None:
            raise HTTPException(404, f"Version '{copy.label.version}' recommends nothing to '{user_id}'")
        version = version_of(copy.label.version)
        catalogue = version.catalogue if version else Catalogue({})
        shelves = {name: [item_document(one, catalogue) for one in items] for name, items in _chosen(found, shelf).items()}
        return {"user_id": user_id, "version": copy.label.version, "personal": wish.personal, "shelves": shelves}

    return recommendations


def _chosen(shelves: Shelves, shelf: str | None) -> Shelves:
    if shelf is None:
        return shelves
    if shelf not in shelves:
        raise HTTPException(404, f"There is no shelf '{shelf}'; there are {', '.join(sorted(shelves)) or 'none'}")
    return {shelf: shelves[shelf]}


@contextmanager
def _answering() -> Iterator[None]:
    """Turn a Redis that is away, and preferences that are broken, into an answer of their own: never into a wrong one."""
    try:
        yield
    except (redis.exceptions.RedisError, redis.exceptions.RedisClusterException) as error:
        raise HTTPException(503, "Redis does not answer") from error
    except SkewlabError as error:
        raise HTTPException(503, str(error)) from error


def _standing(client: redis.Redis, partition: int) -> dict[str, Any]:
    with _answering():
        offset, watermark, version = cast(
            list[bytes | None], client.hmget(key(partition, "meta"), "offset", "watermark_ms", "version")
        )
    return {"offset": _int(offset), "watermark_ms": _int(watermark), "version": version.decode() if version else None}


def _row(client: redis.Redis, user_id: str, partitions: int, version_of: Callable[[str], Version | None]) -> dict[str, Any]:
    with _answering():
        found = stored_row(client, user_id, partitions, version_of)
    if found is None:
        raise HTTPException(404, f"Nothing is known of '{user_id}'")
    return found


def _int(value: bytes | None) -> int | None:
    return int(value) if value else None
