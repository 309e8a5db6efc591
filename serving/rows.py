"""The rows that the live path stored, read where they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import redis

from contract.keys import key
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
