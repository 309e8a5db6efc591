"""How far two paths agree on a feature, in five numbers: no single one tells a scaled value from a stranger's.

The exact share alone saturates: one lost listen makes every decayed count differ. The share beyond tolerance is the alarm, the
median relative difference its size, the rank correlation whether order survived, nulls against values whether it is a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import spearmanr

from contract.features import BY_NAME
from monitoring.compare import Floats, Mask, Pair, agreement

Told = dict[str, float | None]
_SMALLEST = 1e-12
"""A difference from 0 is relative to this."""


@dataclass(frozen=True)
class Compared:
    """One feature of n requests: where it agrees, is beyond tolerance, is null in one path; a number's values, NaN for null."""

    name: str
    exact: Mask
    beyond: Mask
    one_null: Mask
    left: Floats | None
    right: Floats | None

    @staticmethod
    def of(pair: Pair, name: str) -> Compared:
        """Compare a feature of a pair."""
        exact, borne = agreement(pair, name)
        sides = [table.column(name) for table in (pair.left, pair.right)]
        one_null = np.not_equal(*(np.asarray(side.is_null().to_numpy()) for side in sides))
        left, right = map(_numbers, sides) if BY_NAME[name].kind == "number" else (None, None)
        return Compared(name, exact, ~borne, one_null, left, right)

    def __len__(self) -> int:
        return len(self.exact)

    def take(self, rows: NDArray[np.int64]) -> Compared:
        """Return some of the requests."""
        values = (None if side is None else side[rows] for side in (self.left, self.right))
        return Compared(self.name, self.exact[rows], self.beyond[rows], self.one_null[rows], *values)

    def told(self) -> Told:
        """Return shares of all requests (None of none): ``exact``, ``beyond``, ``null_against_value``; and how numbers differ."""
        found: Told = {"exact": _mean(self.exact), "beyond": _mean(self.beyond)}
        if self.left is not None and self.right is not None:
            found |= _numeric(self.left, self.right)
        return found | {"null_against_value": _mean(self.one_null)}


def compared(pairs: tuple[Pair, ...], names: tuple[str, ...]) -> Iterator[tuple[Compared, ...]]:
    """Yield, one feature after the other, its comparison in each pair."""
    for name in names:
        yield tuple(Compared.of(pair, name) for pair in pairs)


def joined(parts: Sequence[Compared]) -> Compared:
    """Return the requests of several comparisons of one feature as one."""
    exact, beyond, one_null = (np.concatenate([getattr(p, mask) for p in parts]) for mask in ("exact", "beyond", "one_null"))
    sides = ([getattr(part, side) for part in parts] for side in ("left", "right"))
    values = (None if side[0] is None else np.concatenate(side) for side in sides)
    return Compared(parts[0].name, exact, beyond, one_null, *values)


def _numeric(left: Floats, right: Floats) -> Told:
    """Return how numbers differ; of infinities and NaN neither a difference nor a rank is told."""
    known = np.isfinite(left) & np.isfinite(right)
    a, b = left[known], right[known]
    differ = a != b
    relative = np.abs(b[differ] - a[differ]) / np.maximum(np.abs(a[differ]), _SMALLEST)
    return {
        "median_relative": float(np.median(relative)) if len(relative) else 0.0,
        "rank_correlation": _rank_correlation(a, b) if len(relative) else 1.0 if _varies(a) else None,
    }


def _rank_correlation(a: Floats, b: Floats) -> float | None:
    return float(spearmanr(a, b).statistic) if _varies(a) and _varies(b) else None


def _varies(values: Floats) -> bool:
    return len(values) > 1 and bool(values.min() < values.max())


def _mean(mask: Mask) -> float | None:
    return float(mask.mean()) if len(mask) else None


def _numbers(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), np.float64)
