"""The slice search: the smallest group of listeners, by one or two of their attributes, that explains most of what differs.

A group counts where it is large enough, where at least ``MOST`` of all listeners hit are in it, and where it is hit more often
than everybody even at the lower bound of what chance allows (Wilson 1927), taken as wide as the number of groups that were tried
asks for (Bonferroni). A group of two attributes must beat each of its two groups of one in the same way: half of a group is
smaller than the group and says no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from monitoring.compare import Mask

SMALLEST = 10
"""Groups of fewer listeners say nothing."""
MOST = 0.5
"""The share of all listeners hit that a group must hold to explain what differs."""
CHANCE = 0.05
"""How likely a night may be on which any group is named by chance alone."""


class Slice(msgspec.Struct, frozen=True):
    """A group: ``where`` names attributes and values, ``share`` is of all who are hit, ``hit_rate`` of its own listeners.

    ``lift`` is how many times the rate of everybody that is, ``lift_at_least`` the same at the lower bound of chance.
    """

    where: dict[str, str]
    listeners: int
    share: float
    hit_rate: float
    lift: float
    lift_at_least: float


@dataclass(frozen=True)
class _Groups:
    """All groups by the same attributes: sizes and hits, and of each the hits and sizes of the groups that it is a part of."""

    attributes: tuple[str, ...]
    values: list[tuple[str, ...]]
    sizes: NDArray[np.int64]
    hits: NDArray[np.int64]
    rates_around: NDArray[np.float64]
    """The highest hit rate of those that it is a part of."""


def smallest_slice(people: pd.DataFrame, hit: Mask) -> Slice | None:
    """Return the smallest group that explains most of what differs, or None where none stands out.

    ``people`` has one row a listener and one column an attribute, ``hit`` tells who is hit. Of two groups of one size the one
    with more hits comes first.
    """
    total = int(hit.sum())
    if not total or hit.all():
        return None
    tried = list(_all_groups(people, hit))
    count = sum(int((groups.sizes >= SMALLEST).sum()) for groups in tried)
    if not count:
        return None
    z, everybody = float(norm.isf(CHANCE / count)), total / len(hit)
    found = [
        (int(n), -int(k), Slice(_named(groups, i), int(n), k / total, k / n, k / n / everybody, float(low[i]) / everybody))
        for groups in tried
        for low in [wilson_low(groups.hits, groups.sizes, z)]
        for i, (n, k) in enumerate(zip(groups.sizes.tolist(), groups.hits.tolist(), strict=True))
        if n >= SMALLEST and k >= MOST * total and low[i] > groups.rates_around[i]
    ]
    return min(found, key=lambda one: one[:2], default=(0, 0, None))[2]


def wilson_low(hits: NDArray[np.int64], sizes: NDArray[np.int64], z: float) -> NDArray[np.float64]:
    """Return the lower bound of Wilson's score interval for a share; ``z`` is how many standard deviations wide it is."""
    n = np.maximum(sizes, 1).astype(np.float64)
    p = hits / n
    middle, width = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.asarray((middle - width) / (1 + z * z / n))


def _all_groups(people: pd.DataFrame, hit: Mask) -> Iterator[_Groups]:
    everybody = float(hit.mean())
    columns = {str(name): pd.factorize(people[name].astype(object)) for name in people.columns}
    single = {name: _counted(codes, len(values), hit) for name, (codes, values) in columns.items()}
    for name, (_, values) in columns.items():
        sizes, hits = single[name]
        yield _Groups((name,), [(str(value),) for value in values], sizes, hits, np.full(len(sizes), everybody))
    for a, b in combinations(columns, 2):
        (codes, values), (others, their_values) = columns[a], columns[b]
        both = np.where((codes >= 0) & (others >= 0), codes * len(their_values) + others, -1)
        sizes, hits = _counted(both, len(values) * len(their_values), hit)
        rates = [hits_ / np.maximum(sizes_, 1) for sizes_, hits_ in (single[a], single[b])]
        around = np.maximum(np.maximum(rates[0][:, None], rates[1][None, :]).ravel(), everybody)
        yield _Groups((a, b), [(str(x), str(y)) for x in values for y in their_values], sizes, hits, around)


def _counted(codes: NDArray[np.int64], n: int, hit: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known = codes >= 0
    return np.bincount(codes[known], minlength=n), np.bincount(codes[known & hit], minlength=n)


def _named(groups: _Groups, i: int) -> dict[str, str]:
    return dict(zip(groups.attributes, groups.values[i], strict=True))
