"""What accuracy does not see: how much of the catalogue is shown, how new, how varied, and how far it leans to what is popular.

Everywhere ``ranked`` (n, k) holds the codes, 0 to m - 1, of the k items that each of n listeners is shown.
"""

from __future__ import annotations

import numpy as np

from contract.event import Ints
from contract.rows import Floats

TIERS = ("head", "middle", "tail")
HEAD, TAIL = 0.2, 0.8


def exposure(ranked: Ints, m: int) -> Ints:
    """Return how many places each item has in all lists together, shape (m,)."""
    return np.bincount(ranked.reshape(-1), minlength=m)


def coverage(ranked: Ints, m: int) -> float:
    """Return the share of the m items that are shown to anybody."""
    return float(np.mean(exposure(ranked, m) > 0))


def novelty(ranked: Ints, known: Floats, listeners: int) -> Floats:
    """Return the mean self-information of a list's items in bits, shape (n,): ``-log2(known)`` (Zhou et al. 2010).

    ``known`` (m,) is the share of all listeners who know each item; what nobody knows counts as known to one of them.
    """
    information = -np.log2(np.maximum(known, 1 / listeners))
    return np.asarray(information[ranked].mean(axis=1))


def diversity(ranked: Ints, similarity: Floats) -> Floats:
    """Return one minus the mean similarity of the pairs in a list (Ziegler et al. 2005), shape (n,); NaN below two items.

    ``similarity`` (m, m) is symmetric, 1 for what is the same.
    """
    n, k = ranked.shape
    pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
    total = sum((similarity[ranked[:, i], ranked[:, j]] for i, j in pairs), np.zeros(n))
    return 1.0 - total / len(pairs) if pairs else np.full(n, np.nan)


def gini(amounts: Ints | Floats) -> float:
    """Return the Gini coefficient of m amounts from 0: 0 where all are equal, (m - 1) / m where one has all; 0 of nothing."""
    m, total = len(amounts), float(np.sum(amounts))
    if total == 0:
        return 0.0
    return float(np.sum((2 * np.arange(1, m + 1) - m - 1) * np.sort(amounts)) / (m * total))


def tiers(plays: Ints | Floats) -> Ints:
    """Return the tier of each of m artists, or of other items: 0 head, 1 middle, 2 tail, shape (m,).

    In the order of falling plays, the head has the first 20 % of all plays, the tail the last 20 % (Abdollahpouri et al. 2021);
    who stands across an edge belongs to the upper tier. Ties go to the lower code; without plays, all is tail.
    """
    by_plays = np.argsort(-plays, kind="stable")
    sold = plays[by_plays]
    before = np.concatenate([[0.0], np.cumsum(sold)[:-1]])
    found = np.empty(len(plays), np.int64)
    found[by_plays] = np.where(sold > 0, np.digitize(before, np.array([HEAD, TAIL]) * sold.sum()), TIERS.index("tail"))
    return found


def shares(amounts: Ints | Floats, group: Ints, groups: int) -> Floats:
    """Return the share of all amounts (m,) that falls to each group, shape (groups,); ``group`` (m,) has codes from 0.

    0 for all where there is nothing.
    """
    total = np.bincount(group, weights=amounts, minlength=groups)
    return np.asarray(np.divide(total, total.sum(), out=np.zeros(groups), where=total.sum() > 0))


def popularity_bias(ranked: Ints, plays: Ints | Floats, tier: Ints) -> Floats:
    """Return, by tier, its share of the places less its share of the listening, shape (3,): above 0 it is shown too often.

    ``plays`` and ``tier`` (m,) are of the items; an item's tier may be its artist's.
    """
    n_tiers = len(TIERS)
    return shares(exposure(ranked, len(plays)), tier, n_tiers) - shares(plays, tier, n_tiers)


def popularity_lift(shown: Floats, heard: Floats, group: Ints, groups: int) -> Floats:
    """Return, by group of listeners, as by country, how much more popular what they are shown is than what they hear, (groups,).

    ``shown`` and ``heard`` (n,) are the mean popularity of a listener's list and of what the listener hears. The lift is the
    ratio of the group's means less one (delta GAP, Abdollahpouri et al. 2019); NaN for a group that is empty or hears nothing.
    """
    of_shown, of_heard = (np.bincount(group, weights=values, minlength=groups) for values in (shown, heard))
    return np.asarray(np.divide(of_shown, of_heard, out=np.full(groups, np.nan), where=of_heard > 0) - 1.0)
