"""Item ids as small integers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from contract.event import Ints


@dataclass
class Items:
    """Item ids as small integers, in order of first sight."""

    names: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(names: list[str]) -> Items:
        """Take names over that have their codes already."""
        return Items(list(names), {name: code for code, name in enumerate(names)})

    def encode(self, names: Iterable[str]) -> Ints:
        """Return the codes of some names; unseen ones get the next."""
        codes = self.codes
        found = [codes.setdefault(name, len(codes)) for name in names]
        if len(codes) > len(self.names):
            self.names.extend(list(codes)[len(self.names) :])
        return np.array(found, np.int64)
