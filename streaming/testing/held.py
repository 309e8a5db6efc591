"""All that a store holds of a partition, so that two runs can be held against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contract.keys import RANKINGS
from streaming.store import Meta, Store

ALL = 1_000_000


class Held(NamedTuple):
    """What a store holds of a partition but for its epoch, which every reading raises."""

    meta: Meta | None
    items: Sequence[str]
    states: dict[str, bytes]
    rows: dict[str, bytes | None]
    rankings: dict[tuple[str, str], list[tuple[str, float]]]
    """By kind and listener."""
    outbox: Sequence[tuple[str, bytes]]


def held(store: Store, partition: int, users: Iterable[str]) -> Held:
    """Return all of a partition, with the rows and rankings of some listeners; whoever owned the partition does so no more."""
    users, claim = list(users), store.claim(partition)
    return Held(
        claim.meta,
        claim.items,
        claim.states,
        {user: store.row(partition, user) for user in users},
        {(kind, user): store.ranking(partition, kind, user) for kind in RANKINGS for user in users},
        store.outbox(partition, ALL),
    )
