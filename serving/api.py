"""A thin read API over what the live path stored: health, a listener's features and scores."""

from __future__ import annotations

from typing import Any, cast

import orjson
import redis
from fastapi import FastAPI, HTTPException

from contract.features import NAMES
from contract.keys import key
from contract.records import partition_of


def make_api(client: redis.Redis, partitions: int) -> FastAPI:
    """Make the application over an open Redis."""
    api = FastAPI(title="Skewlab", docs_url=None, redoc_url=None)

    @api.get("/health")
    def health() -> dict[str, Any]:
        """Tell whether Redis answers, and where each partition stands."""
        return {"partitions": {p: _standing(client, p) for p in range(partitions)}}

    @api.get("/listeners/{user_id}/features")
    def features(user_id: str) -> dict[str, Any]:
        """Return a listener's features as last computed, with the instant they are of."""
        row = _row(client, user_id, partitions)
        return {name: row[name] for name in ("user_id", "as_of_ms", "cut", "version", *NAMES)}

    @api.get("/listeners/{user_id}/shows")
    def shows(user_id: str) -> dict[str, Any]:
        """Return the first ten shows for a listener, with their scores."""
        row = _row(client, user_id, partitions)
        pairs = zip(row["shows"] or [], row["scores"] or [], strict=True)
        return {
            "user_id": user_id,
            "as_of_ms": row["as_of_ms"],
            "shows": [{"show": show, "score": score} for show, score in pairs],
        }

    return api


def _standing(client: redis.Redis, partition: int) -> dict[str, Any]:
    try:
        offset, watermark, version = cast(
            list[bytes | None], client.hmget(key(partition, "meta"), "offset", "watermark_ms", "version")
        )
    except redis.exceptions.RedisError as error:
        raise HTTPException(503, "Redis does not answer") from error
    return {"offset": _int(offset), "watermark_ms": _int(watermark), "version": version.decode() if version else None}


def _row(client: redis.Redis, user_id: str, partitions: int) -> dict[str, Any]:
    try:
        found = cast(bytes | None, client.hget(key(partition_of(user_id, partitions), "rows"), user_id))
    except redis.exceptions.RedisError as error:
        raise HTTPException(503, "Redis does not answer") from error
    if found is None:
        raise HTTPException(404, f"Nothing is known of '{user_id}'")
    return cast(dict[str, Any], orjson.loads(found))


def _int(value: bytes | None) -> int | None:
    return int(value) if value else None
