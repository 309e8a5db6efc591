"""What is recommended to a listener, from the copy of the version in service: whole, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import redis

from contract.copy import Label, read_labels, unpacked
from contract.keys import COPIES, CURRENT_COPY, copy_key
from contract.preferences import Preference, impersonal
from contract.recommendation import FOR_YOU, Recommended
from contract.records import partition_of

Shelves = Mapping[str, tuple[Recommended, ...]]


@dataclass(frozen=True)
class Served:
    """A copy that is complete, and what it says."""

    client: redis.Redis
    name: str
    label: Label

    def shelves(self, user_id: str, wishes: Preference) -> Shelves | None:
        """Return a listener's shelves, None where the version knows nothing of them.

        Whose past listening may not be used gets what is popular and nothing else, known or not: their part is not even read.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        if not wishes.personal:
            return {FOR_YOU: impersonal(self.label.popular, wishes)}
        key = copy_key(partition_of(user_id, self.label.partitions), self.name)
        value = cast(bytes | None, self.client.hget(key, user_id))
        return None if value is None else unpacked(value)


def served(client: redis.Redis) -> Served | None:
    """Return the copy that Redis' pointer names; None where there is none, or none that is complete.

    Raises:
        redis.exceptions.RedisError: Redis does not answer.
    """
    with client.pipeline(transaction=True) as both:  # of one moment
        both.get(CURRENT_COPY)
        both.hgetall(COPIES)
        name, labels = cast(tuple[bytes | None, dict[bytes, bytes]], tuple(both.execute()))
    label = read_labels(labels).get(name.decode()) if name else None
    return Served(client, name.decode(), label) if name and label and label.complete else None
