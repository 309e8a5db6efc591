"""``skewlab inject``: a skew begins on a live path that runs; and how what is recorded comes to be what is done.

A member reads what acts when it takes a partition over (``Member.recorded``). So

1. every partition is claimed: no member can write a step of it until it has taken it over again;
2. the cuts are worked out and recorded;
3. a partition that nobody has taken over meanwhile is certain: whoever writes its next step has read the record. Where somebody
   was faster, it is certain as long as the partition has not passed its cut.

Running members notice at their next write that it is refused, and take the partition back within a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from contract.errors import InfrastructureError, UsageError
from contract.keys import EVENTS
from contract.lock import locked
from contract.settings import Settings
from contract.skew import Acting
from lab.overrides import Override, record, recorded
from lab.skews import Request
from lab.stack import Stack, addresses, open_stack


@dataclass(frozen=True)
class Held:
    """A partition as it was claimed: under which epoch, and the offset at which the store stands; None where it holds nothing."""

    epoch: int
    offset: int | None


@dataclass(frozen=True)
class Injected:
    """What has begun, and from which offsets on."""

    override: Override

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        override = self.override
        return {"skew": override.skew, "severity": override.severity, "seed": override.seed, "onset": override.onset}

    def lines(self) -> list[str]:
        """Return it for people."""
        said = f"'{self.override.skew}' acts on the live path at severity {self.override.severity:g}, until 'skewlab heal'."
        return [said, *(f"partition {partition}: from offset {cut} on" for partition, cut in self.override.onset.items())]


def inject(settings: Settings, request: Request, seed: int) -> Injected:
    """Let a skew act on a stack's live path, from the present end of the log on.

    Raises:
        UsageError: there is no such skew, it acts already, or it is none of the live path.
        InfrastructureError: no stack runs apart from this program, or it does not answer; or a member was faster than the record.
    """
    if request.day or request.until is not None:
        raise UsageError("What is injected begins now, and ends with 'skewlab heal'", "", "Leave out the days")
    skew = request.make(seed)
    if skew.side != "streaming":
        why = f"it is of the side '{skew.side}'"
        raise UsageError(f"'{skew.id}' cannot be injected into a live path", why, "Use it in 'skewlab run --skew'")
    home = settings.places
    with changing(settings) as stack:
        overrides = recorded(home)
        if any(one.skew == (skew.origin or skew.id) and not one.until for one in overrides):
            raise UsageError(f"'{skew.id}' acts already", f"{home.overrides} says so", "End it: 'skewlab heal'")
        held = claimed(stack)
        cuts = ends_of(stack)
        override = Override.of(Acting(skew, cuts))
        record(home, [*overrides, override])
        require_unpassed(stack, held, cuts, "begins")
    return Injected(override)


@contextmanager
def changing(settings: Settings) -> Iterator[Stack]:
    """Give the stack of the settings while nobody else changes what acts in their home.

    Raises:
        InfrastructureError: no stack runs apart from this program, or it does not answer.
    """
    addresses(settings)
    with locked(settings.places.root / ".overrides.lock", wait=True), open_stack(settings) as stack:
        yield stack


def ends_of(stack: Stack) -> dict[int, int]:
    """Return the offset behind the last listening event of each partition."""
    return dict(sorted(stack.log.ends(EVENTS).items()))


def claimed(stack: Stack) -> dict[int, Held]:
    """Claim all partitions, so that nobody writes one before it has taken it over again."""
    found = {}
    for partition in ends_of(stack):
        claim = stack.store.claim(partition)
        found[partition] = Held(claim.epoch, claim.meta.offset if claim.meta else None)
    return found


def require_unpassed(stack: Stack, held: Mapping[int, Held], cuts: Mapping[int, int], what: str) -> None:
    """Make sure that no partition was taken over and passed its cut before the cuts were recorded.

    Raises:
        InfrastructureError: one did, so somewhere behind the cut what acts is not what is recorded.
    """
    for partition, one in held.items():
        if stack.store.holds(partition, one.epoch, one.offset or 0):
            continue
        meta = stack.store.claim(partition).meta
        if meta is not None and meta.offset > cuts[partition]:
            raise InfrastructureError(
                f"It is not certain where the skew {what} in partition {partition}",
                f"a member went on from offset {cuts[partition]} to {meta.offset} while that was recorded",
                "Make the state whole: 'skewlab heal'",
            )
