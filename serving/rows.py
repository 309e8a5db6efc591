"""The rows that the live path stored, read where they lie."""

from __future__ import annotations

from typing import Any, cast

import orjson
import redis

from contract.keys import key
from contract.records import partition_of


def stored_row(client: redis.Redis, user_id: str, partitions: int) -> dict[str, Any] | None:
    """Return a listener's row as last computed, with the fields of ``ROW_SCHEMA``; None where there is none.

    Raises:
        redis.exceptions.RedisError: Redis does not answer.
    """
    found = cast(bytes | None, client.hget(key(partition_of(user_id, partitions), "rows"), user_id))
    return None if found is None else cast(dict[str, Any], orjson.loads(found))
