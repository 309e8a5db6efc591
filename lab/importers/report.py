"""What an import did, the same for every importer: rows read, taken, doubled, refused by reason, and what each rule touched.

Every row is counted exactly once among ``events``, ``doubled`` and the refused ones: ``rows == events + doubled + sum(refused)``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from contract.event import Events
from contract.windows import DAY_MS

REFUSED = "dropped: "
"""How the name of a rule begins that refuses a row; what follows is the reason."""


@dataclass
class Report:
    """Rows read and taken, and how many rows each rule touched; a refused row is counted by one reason.

    ``files`` counts the files read and those left out by reason, where the importer looked for them itself.
    """

    source: str
    rows: int = 0
    events: int = 0
    doubled: int = 0
    listeners: int = 0
    items: int = 0
    days: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> dict[str, int]:
        """How many rows were refused, by reason; reasons that met no row are there with 0."""
        return {rule.removeprefix(REFUSED): count for rule, count in self.rules.items() if rule.startswith(REFUSED)}

    def declare(self, *rules: str) -> None:
        """Name rules that may touch rows, so that the report shows them at 0 too, in this order."""
        self.rules.update({rule: 0 for rule in rules if rule not in self.rules})

    def count(self, rule: str) -> None:
        """Count a row that a rule touched."""
        self.rules[rule] = self.rules.get(rule, 0) + 1

    def refuse(self, reason: str) -> None:
        """Count a row that is not taken."""
        self.count(REFUSED + reason)

    def measure(self, events: Events) -> None:
        """Take over the sizes of what was taken."""
        self.events, self.listeners, self.items = len(events), len(set(events.user_id)), len(set(events.item_id))
        self.days = len(np.unique(events.ts_ms // DAY_MS))

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {**vars(self), "files": dict(self.files), "refused": self.refused}

    def lines(self) -> list[str]:
        """Return it for people."""
        head = (
            f"{self.source}: {self.events} of {self.rows} rows, {self.listeners} listeners, {self.items} items, {self.days} days"
        )
        twice = {"doubled: the same listen once more": self.doubled} if self.doubled else {}
        return [head, *(f"  {count:>6}  {rule}" for rule, count in {**self.files, **twice, **self.rules}.items())]
