"""The skews that act at an offset, behind the same hooks as one that does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.event import Events, Names
from contract.features import FeatureConstants
from contract.hooks import through
from contract.rows import FeatureColumns
from contract.skew import Acting, RawRecord, Skew


class Hooks:
    """All hooks of some skews, one behind the other; with none of them, each hook gives back what it got."""

    def __init__(self, skews: Sequence[Skew] = ()) -> None:
        self.skews = tuple(skews)

    def transport(self, records: Sequence[RawRecord], partition: int) -> Sequence[RawRecord]:
        """See ``Skew.transport``."""
        return through(self.skews, "transport", records, partition)

    def event(self, events: Events, partition: int) -> Events:
        """See ``Skew.event``."""
        return through(self.skews, "event", events, partition)

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """See ``Skew.settings``."""
        return through(self.skews, "settings", constants)

    def state(self, states: Any) -> Any:
        """See ``Skew.state``."""
        return through(self.skews, "state", states)

    def clock(self, as_of_ms: int) -> int:
        """See ``Skew.clock``."""
        return through(self.skews, "clock", as_of_ms)

    def features(self, columns: FeatureColumns, window: Any) -> FeatureColumns:
        """See ``Skew.features``."""
        return through(self.skews, "features", columns, window)

    def serves(self, served: NDArray[np.bool_], window: Any) -> NDArray[np.bool_]:
        """See ``Skew.serves``."""
        return through(self.skews, "serves", served, window)

    def keys(self, users: Names) -> Names:
        """See ``Skew.keys``."""
        return through(self.skews, "keys", users)

    def holds(self, partition: int, offset: int) -> bool:
        """See ``Skew.holds``."""
        return any(skew.holds(partition, offset) for skew in self.skews)


class Overrides:
    """The recorded overrides of the streaming side."""

    def __init__(self, acting: Sequence[Acting] = ()) -> None:
        self._acting = [one for one in acting if one.skew.side == "streaming"]
        self._hooks: dict[tuple[int, ...], Hooks] = {}

    def at(self, partition: int, offset: int) -> Hooks:
        """Return the hooks that act on the record at an offset."""
        which = tuple(i for i, one in enumerate(self._acting) if one.at(partition, offset))
        if which not in self._hooks:
            self._hooks[which] = Hooks([self._acting[i].skew for i in which])
        return self._hooks[which]

    def edges(self, partition: int) -> set[int]:
        """Return the offsets of a partition at which something begins or ends."""
        return {edge for one in self._acting for edge in one.edges(partition)}
