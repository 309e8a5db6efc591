"""The rows that the live path stored, read where they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import redis

from contract.keys import key, ranking_key
from contract.records import partition_of
from contract.stored import unpacked_row
from contract.versions import Version


def stored_row(
    client: redis.Redis, user_id: str, partitions: int, version_of: Callable[[str], Version | None]
) -> dict[str, Any] | None:
    """Return a listener's row as last computed, with the fields of ``ROW_SCHEMA``; None where there is none.

    Raises:
        InfrastructureError: the row is of a version that is not at hand.
        redis.exceptions.RedisError: Redis does not answer.
    """
    found = cast(bytes | None, client.hget(key(partition_of(user_id, partitions), "rows"), user_id))
    return None if found is None else unpacked_row(found, user_id, version_of)


def stored_ranking(
    client: redis.Redis, user_id: str, partitions: int, kind: str, version_of: Callable[[str], Version | None]
) -> tuple[dict[str, Any], list[tuple[str, float]]] | None:
    """Return a listener's row, and what was ranked with it, best first: both of one moment; None where there is no row.

    Raises:
        InfrastructureError: the row is of a version that is not at hand.
        redis.exceptions.RedisError: Redis does not answer.
    """
    partition = partition_of(user_id, partitions)
    with client.pipeline(transaction=True) as both:
        both.hget(key(partition, "rows"), user_id)
        both.zrange(ranking_key(partition, kind, user_id), 0, -1, desc=True, withscores=True)
        found, pairs = cast(tuple[bytes | None, list[tuple[bytes, float]]], tuple(both.execute()))
    if found is None:
        return None
    return unpacked_row(found, user_id, version_of), [(name.decode(), score) for name, score in pairs]
