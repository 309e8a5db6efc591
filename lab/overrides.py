"""The skews that act, written down in the home: which, how strong, since which offsets."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract.errors import UsageError
from contract.home import Home, write_whole
from contract.skew import Acting
from lab.skews import find


class Override(msgspec.Struct, frozen=True):
    """One skew as it acts. ``until`` is empty while it does."""

    skew: str
    severity: float
    seed: int
    onset: dict[int, int]
    until: dict[int, int]


def write_overrides(home: Home, acting: Sequence[Acting]) -> None:
    """Write down what acts."""
    found = [Override(a.skew.origin or a.skew.id, a.skew.severity, a.skew.seed, a.onset, a.until) for a in acting]
    write_whole(home.overrides, msgspec.json.format(msgspec.json.encode(found), indent=1))


def read_overrides(home: Home) -> list[Acting]:
    """Return what acts.

    Raises:
        UsageError: the file is broken, or names a skew that is not there any more.
    """
    if not home.overrides.exists():
        return []
    try:
        found = msgspec.json.decode(home.overrides.read_bytes(), type=list[Override])
    except msgspec.MsgspecError as error:
        raise UsageError(f"{home.overrides} is broken", str(error), "Remove it: the skews end with it") from error
    return [Acting(find(o.skew)(o.severity, o.seed), o.onset, o.until) for o in found]
