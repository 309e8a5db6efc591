"""What a command said: its exit code, the document on standard output, the refusal on standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

SCENARIO = "name: toy\ndays: 2\nusers: 5\nhistory_days: 0\nstack: replay\n"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        assert (self.code, self.err) == (0, "")
        return msgspec.json.decode(self.out)

    @property
    def refusal(self) -> str:
        """The one line on standard error."""
        assert (self.code, self.out) == (2, "")
        assert self.err.endswith(".\n")
        assert len(self.err.splitlines()) == 1
        return self.err.strip()


Say = Callable[..., Said]
