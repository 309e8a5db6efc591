"""What an importer took, before anything is written: a report, a catalogue, events in their order, and the source's fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from contract.catalogue import Catalogue
from contract.event import Events
from contract.windows import DAY_MS
from lab.folder import write_log
from lab.importers.report import Report

MOST_FIELDS = 500
"""An export has some thirty fields; who names a new one in each row does not fill the memory with them."""
OTHERS = "(others)"


@dataclass
class Fields:
    """The fields of a source by name: which are kept, and in how many rows each had a value."""

    kept: frozenset[str]
    rows: Counter[str] = field(default_factory=Counter)

    def see(self, names: Iterable[str]) -> None:
        """Count the fields that had a value in a row."""
        self.rows.update(
            name if name in self.rows or len(self.rows) < MOST_FIELDS or name in self.kept else OTHERS for name in names
        )

    @property
    def dropped(self) -> dict[str, int]:
        """The fields of which nothing is kept, by name, with how many rows had them."""
        return {name: self.rows[name] for name in sorted(self.rows) if name not in self.kept}

    @property
    def used(self) -> dict[str, int]:
        """The fields of which something is kept, by name, with how many rows had them."""
        return {name: self.rows[name] for name in sorted(self.kept) if self.rows[name]}


@dataclass(frozen=True)
class Taken:
    """An import in memory; ``events`` are in order of ``received_at_ms``."""

    report: Report
    catalogue: Catalogue
    events: Events
    fields: Fields

    def write(self, out: Path, *, replace: bool = False) -> Report:
        """Write it as a log folder, whole or not at all; return the report.

        Raises:
            UsageError: the folder is there already, or cannot be written.
        """
        write_log(out, self.catalogue, self._days(), self.report.document(), replace=replace)
        return self.report

    def _days(self) -> Iterator[Events]:
        day = self.events.received_at_ms // DAY_MS
        cuts = np.flatnonzero(np.diff(day)) + 1
        return (self.events.take(rows) for rows in np.split(np.arange(len(day)), cuts))
