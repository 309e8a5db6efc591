"""How far predicted values are from what happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contract.event import Ints
from contract.rows import Floats

BINS = 10


def rmse(predicted: Floats, actual: Floats) -> float:
    """Return the root of the mean squared error over the entries where both are known (not NaN); NaN where there are none.

    Any equal shapes; for predicted engagement, (listeners, items) with NaN where nothing was heard.
    """
    error = predicted - actual
    known = ~np.isnan(error)
    return float(np.sqrt(np.mean(error[known] ** 2))) if known.any() else float("nan")


@dataclass(frozen=True)
class Reliability:
    """Predictions in bins of rising probability: how many, their mean, the share that came true; each (bins,)."""

    count: Ints
    predicted: Floats
    happened: Floats

    @property
    def error(self) -> float:
        """The expected calibration error (Naeini, Cooper & Hauskrecht 2015): the mean distance of the two, by count."""
        return float(np.average(np.abs(self.predicted - self.happened), weights=self.count))


def reliability(predicted: Floats, happened: Ints, bins: int = BINS) -> Reliability:
    """Cut n >= 1 predictions (n,) into bins of equal size, the first ones larger by one where they do not come out even.

    Equal predictions stand in their order, so the edge of a bin may run through them. There are n bins where n is smaller.
    """
    by_size = np.array_split(np.argsort(predicted, kind="stable"), min(bins, len(predicted)))
    return Reliability(
        count=np.array([len(part) for part in by_size]),
        predicted=np.array([predicted[part].mean() for part in by_size]),
        happened=np.array([happened[part].mean() for part in by_size]),
    )
