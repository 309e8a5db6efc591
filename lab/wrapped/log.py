"""What a review is worked out from: a table of rows, one a listen (or a purchase, or a loan), and the names of the items."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from contract.catalogue import Catalogue
from contract.errors import UsageError

COLUMNS = ("user", "item", "podcast", "play", "amount", "ts_ms", "local_ms")
"""``podcast`` and ``play`` are bool, ``amount`` is a number of the log's unit, ``local_ms`` what the listener's clock showed."""


@dataclass(frozen=True)
class Log:
    """A log in memory. ``timed``: it says when; ``measured``: its amounts mean something; ``taste``: skips can be told.

    ``silent`` are those who are known and have no row.
    """

    rows: pd.DataFrame
    catalogue: Catalogue
    source: str
    timed: bool = True
    measured: bool = True
    taste: bool = True
    silent: tuple[str, ...] = ()

    def of_year(self, year: int) -> Log:
        """Return the rows of one calendar year by the listeners' own clocks.

        Raises:
            UsageError: the log does not say when, or has nothing of that year.
        """
        if not self.timed:
            raise UsageError("--year cannot be told here", f"{self.source} does not say when", "Leave it out")
        kept = self.rows[[month.startswith(f"{year:04d}-") for month in months(self.rows["local_ms"])]]
        if kept.empty:
            raise UsageError(f"There is nothing of {year}", f"{self.source} has other years", "Name another year")
        return replace(self, rows=kept)


def months(local_ms: pd.Series) -> list[str]:
    """Return the calendar months, as YYYY-MM, of instants of the listeners' clocks."""
    instants = local_ms.to_numpy(np.int64).astype("datetime64[ms]")
    return [str(month) for month in np.datetime_as_string(instants.astype("datetime64[M]"))]
