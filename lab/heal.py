"""``skewlab heal``: the skews that act end, and the live path's state is made again without them.

A skew in events, state or settings leaves wrong sums behind, so ending it is not enough: each partition's state is rebuilt from
the lake, to the very offset at which the store stands, and takes the place of what was there. A member that writes meanwhile is
refused, and takes the partition over again with the rebuilt state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from contract.errors import InfrastructureError
from contract.home import Home
from contract.lake import Lake
from contract.settings import Settings
from contract.skew import Acting
from contract.versions import Versions
from lab.inject import changing, claimed, ends_of, require_unpassed
from lab.overrides import Override, record, recorded
from lab.pipeline import Pipeline
from lab.stack import Stack
from lab.words import listed
from streaming.member import Member
from streaming.overrides import Overrides
from streaming.rebuild import catch_up, rebuild
from streaming.step import PartitionPath
from streaming.store import Fenced, Store
from streaming.writes import write_of_all

ATTEMPTS = 10
"""How often a partition is claimed where a member takes it back meanwhile; each time less is left to be made again."""


@dataclass(frozen=True)
class Healed:
    """What has ended, and whether the state was rebuilt."""

    ended: Sequence[Override]
    rebuilt: bool

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {"ended": [{"skew": one.skew, "until": one.until} for one in self.ended], "rebuilt": self.rebuilt}

    def lines(self) -> list[str]:
        """Return it for people."""
        if not self.ended:
            return ["Nothing acts on the live path."]
        names = listed([f"'{one.skew}'" for one in self.ended])
        made = "The live path's state was made again from the lake, as if nothing had ever acted."
        lingers = "What was done to the live path's state lingers; 'skewlab heal' makes it again."
        return [f"Ended: {names}.", made if self.rebuilt else lingers]


def heal(settings: Settings, *, rebuild: bool) -> Healed:
    """End all skews that act on a stack's live path; with ``rebuild`` make its state again, also where one ended without that.

    The lake is first brought as far as the topics are: ``skewlab archive`` is part of it.

    Raises:
        InfrastructureError: no stack runs apart from this program, or it does not answer; another archiver is at work; or members
            kept on writing.
        UsageError: what is recorded is broken.
    """
    home = settings.places
    with changing(settings) as stack:
        before = recorded(home)
        over = [one.rebuilt if rebuild else bool(one.until) for one in before]
        if all(over):
            return Healed([], rebuilt=False)
        archive = _archiver(home, stack) if rebuild else None
        after = _ended(home, stack, before, sure=not rebuild)
        if archive is not None:
            for partition in ends_of(stack):
                _rebuild_beside_members(home, stack, partition, archive)
            after = [one.undone() for one in after]
            record(home, after)
    return Healed([one for one, was in zip(after, over, strict=True) if not was], rebuild)


def rebuild_partition(
    home: Home,
    store: Store,
    partition: int,
    partitions: int,
    acting: Sequence[Acting],
    step_events: int | None = None,
    archive: Callable[[], object] = lambda: None,
    attempts: int = 1,
) -> None:
    """Make a partition's state again at the offset where the store stands, as if nothing but ``acting`` had ever acted.

    ``archive`` is called once nobody else can write the partition, to bring the lake as far as the store is. A member that takes
    the partition back meanwhile costs an attempt; the next one goes on from what was made again.

    Raises:
        Fenced: a member has taken the partition over in each attempt.
        InfrastructureError: the lake is not as far as the store.
    """
    lake, version_of = Lake(home.lake), cache(Versions(home.versions).get)
    path, dead = None, []
    for _ in range(attempts):
        claim = store.claim(partition)
        archive()
        stands = claim.meta.offset if claim.meta else None
        if path is None or stands is None or stands < path.offset:
            path = PartitionPath(partition, partitions, version_of, Overrides(acting))
            dead = rebuild(path, lake, stands, step_events)
        else:
            dead += catch_up(path, lake, stands, step_events)
        if store.holds(partition, claim.epoch, stands or 0):
            store.clear(partition)
            store.commit(partition, claim.epoch, write_of_all(path, [] if claim.meta else dead))  # else published before
            return
    raise Fenced(f"Partition {partition} has another owner", "a member took it over while its state was made again")


def _archiver(home: Home, stack: Stack) -> Callable[[], object]:
    """Bring what the topics hold into the lake; return how it is done again.

    Raises:
        InfrastructureError: another archiver is at work, or the lake has another number of partitions.
    """
    count = len(ends_of(stack))
    pipeline = Pipeline(home, stack.log, stack.store, Member(home, stack.store, count, None), count)
    pipeline.open_archives()
    pipeline.archive()
    return pipeline.archive


def _ended(home: Home, stack: Stack, before: Sequence[Override], *, sure: bool) -> list[Override]:
    """Record that all that acts ends: at the log's end if it must be ``sure`` where, else where the store stands."""
    held, ends = claimed(stack), ends_of(stack)
    stands = {partition: one.offset for partition, one in held.items() if one.offset is not None}
    cuts = ends if sure else {**ends, **stands}
    after = [one.ended(cuts) for one in before]
    record(home, after)
    if sure:
        require_unpassed(stack, held, cuts, "ends")
    return after


def _rebuild_beside_members(home: Home, stack: Stack, partition: int, archive: Callable[[], object]) -> None:
    """Rebuild a partition, also where members take it back meanwhile.

    Raises:
        InfrastructureError: they were faster each time.
    """
    try:
        rebuild_partition(home, stack.store, partition, len(ends_of(stack)), (), archive=archive, attempts=ATTEMPTS)
    except Fenced as fenced:
        raise InfrastructureError(
            f"The state of partition {partition} was not made again",
            f"members took it back {ATTEMPTS} times while that was done",
            "Stop 'skewlab stream', run 'skewlab heal' again, start it again",
        ) from fenced
