"""The skews that act, written down in the home: which, how strong, from which offsets on, up to which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from contract.errors import UsageError
from contract.home import Home, write_whole
from contract.skew import Acting
from lab.skews import find, made


class Override(msgspec.Struct, frozen=True):
    """One skew as it acts. ``until`` is empty while it does.

    ``rebuilt`` says that the state was made again without it behind ``until``, so it is history; where it is off, what the skew
    did to the state is still there.
    """

    skew: str
    severity: float
    seed: int
    onset: dict[int, int]
    until: dict[int, int]
    rebuilt: bool = False

    @staticmethod
    def of(acting: Acting, *, rebuilt: bool = False) -> Override:
        """Write down how a skew acts."""
        skew = acting.skew
        return Override(skew.origin or skew.id, skew.severity, skew.seed, acting.onset, acting.until, rebuilt)

    def ended(self, cuts: Mapping[int, int]) -> Override:
        """Return it as ended at a cut, or at an earlier one where it has ended already."""
        return self if self.until else msgspec.structs.replace(self, until=dict(cuts))

    def undone(self) -> Override:
        """Return it as history."""
        return msgspec.structs.replace(self, rebuilt=True)


def record(home: Home, overrides: Sequence[Override]) -> None:
    """Write down what acts and what has acted, in place of what was written down before."""
    write_whole(home.overrides, msgspec.json.format(msgspec.json.encode(overrides), indent=1))


def recorded(home: Home) -> list[Override]:
    """Return what acts and what has acted, in the order in which it was recorded.

    Raises:
        UsageError: the file is broken.
    """
    if not home.overrides.exists():
        return []
    try:
        return msgspec.json.decode(home.overrides.read_bytes(), type=list[Override])
    except msgspec.MsgspecError as error:
        raise UsageError(f"{home.overrides} is broken", str(error), "Remove it: the skews end with it") from error


def acting_of(overrides: Sequence[Override]) -> list[Acting]:
    """Make the skews that have a part in the live path's state: those that act, and those whose damage lingers.

    Raises:
        UsageError: one names a skew that is not there any more.
    """
    return [Acting(made(find(o.skew), o.severity, o.seed), o.onset, o.until) for o in overrides if not o.rebuilt]


def read_overrides(home: Home) -> list[Acting]:
    """Return ``acting_of`` what is recorded.

    Raises:
        UsageError: the file is broken, or names a skew that is not there any more.
    """
    return acting_of(recorded(home))
