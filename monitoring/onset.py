"""Since when: the first of many nights that differs, with few of them looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from contract.errors import CannotJudge

NEIGHBOURS = 2
"""So many nights before the one that was found are looked at as well."""


def onset_of(nights: Sequence[int], differs: Callable[[int], bool]) -> int:
    """Return the first night from which on the paths differ, by binary search over ``nights``, oldest first.

    It is assumed that once they differ they go on differing, up to the last night, which must differ: then some 20 nights are
    looked at of a million. Some skews pause (a wrong midnight moves nothing on a day without plays), so the ``NEIGHBOURS`` nights
    before the one that was found are looked at too, and the search goes on before the earliest of them that differs. A longer
    pause is not noticed: what is returned then begins the last spell that was found, never a night that agrees.

    Args:
        nights: instants or any other numbers, in order.
        differs: whether the paths differ at a night; it may be slow, and is asked once a night at most.

    Raises:
        CannotJudge: there is no night, or the last one does not differ.
    """
    asked = cache(differs)
    if not nights or not asked(nights[-1]):
        raise CannotJudge("There is no onset to look for", "the last night does not differ", "Name a night that does")
    found = _first(nights, len(nights) - 1, asked)
    while earlier := [i for i in range(max(found - NEIGHBOURS, 0), found) if asked(nights[i])]:
        found = _first(nights, earlier[0], asked)
    return nights[found]


def _first(nights: Sequence[int], last: int, differs: Callable[[int], bool]) -> int:
    """Return the place of a night that differs behind one that does not (or of the first one); the one at ``last`` differs."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if differs(nights[middle]) else (middle + 1, high)
    return high
