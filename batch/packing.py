"""The small facts of a listen in one number: a row that is shuffled and sorted has one column for all of them, not six."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

PACKED = "told"
"""The column that holds them."""

_BITS = {"local_hour": 5, "device": 3, "music": 1, "play": 1, "inside": 1, "kafka_partition": 31}
_FLAGS = ("music", "play", "inside")
_SHIFTS = dict(zip(_BITS, (sum(list(_BITS.values())[:i]) for i in range(len(_BITS))), strict=True))


def packed(**facts: Column) -> Column:
    """Return one number for the facts of these names; all of them must be given, none may be negative."""
    parts = [F.shiftleft(facts[name].cast("int").cast("long"), shift) for name, shift in _SHIFTS.items()]
    return reduce(Column.bitwiseOR, parts).alias(PACKED)


def unpacked(name: str) -> Column:
    """Return a fact again: a boolean or an integer."""
    value = F.shiftright(PACKED, _SHIFTS[name]).bitwiseAND(F.lit((1 << _BITS[name]) - 1))
    return value != 0 if name in _FLAGS else value.cast("int")
