"""Taking a partition over whose log may have lost its beginning: what Kafka deleted is read from the lake instead."""

from __future__ import annotations

from typing import Protocol

from contract.errors import InfrastructureError
from contract.lake import Lake
from streaming.member import Member


class Clearable(Protocol):
    """A store that can forget a partition."""

    def clear(self, partition: int) -> None:
        """Forget a partition's state, rows and offset, but never its epoch."""


def take_over(member: Member, store: Clearable, partition: int, first: int, end: int) -> int:
    """Take a partition over whose log holds the offsets ``[first, end)``; return the offset to read from.

    Where the store stands before ``first``, the records between are in the lake only, and the state is rebuilt from it.

    Raises:
        InfrastructureError: the lake does not reach ``first`` either, or the log ends before what was counted; the partition is
            given up, and what the store holds of it is as it was.
    """
    at = member.take_over(partition)
    if at < first:
        reached = Lake(member.home.lake).end(partition)
        if reached < first:
            member.give_up(partition)
            raise InfrastructureError(
                f"Partition {partition} cannot go on at offset {at}",
                f"Kafka's log begins at {first}, the lake ends at {reached}",
                f"Bring offsets {max(at, reached)} to {first - 1} into the lake, or begin another home and stack",
            )
        store.clear(partition)
        at = member.take_over(partition)
    if at > end:
        member.give_up(partition)
        raise InfrastructureError(
            f"Partition {partition} cannot go on at offset {at}",
            f"Kafka's log ends at {end}: it is another log, or has lost its end",
            "Use the Kafka that belongs to this home, or begin another home and stack",
        )
    return at
