"""States of earlier versions of the program, as this one keeps them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from contract.errors import InfrastructureError
from contract.event import NO_DURATION, PODCAST
from streaming.codec import STATE_VERSION, state_of
from streaming.tables import Days, Listens, Tiles, room

_HEADER = struct.Struct("<BIII")
_LISTEN = np.dtype(
    [
        *((name, "i8") for name in ("ts", "id", "ms", "duration")),
        *(("item", "i4"), ("utc_offset", "i2"), ("kind", "u1"), ("device", "u1"), ("replay", "?")),
    ]
)
_TILE = np.dtype(
    [("day", "i4"), ("item", "i4"), ("kind", "u1"), ("tenths", "u1"), ("listens", "i4"), ("ms", "i8"), ("duration", "i8")]
)
_DAY = np.dtype(
    [
        *(("day", "i4"), ("last_ts", "i8")),
        *((name, "i4") for name in ("listens", "plays", "music", "skips", "replays", "night", "phone")),
        *(("ms", "i8"), ("podcast_ms", "i8"), ("completed", "f8"), ("timed", "i4"), ("decayed", "f8"), ("calendar", "u1")),
    ]
)
_SUMS = ("listens", "music", "skips", "replays", "night", "phone", "ms", "podcast_ms", "timed")
"""Its columns in the order of today's ``Days.sums``."""


def current(state: bytes) -> bytes:
    """Return a state in the form of this version; most are in it already.

    Raises:
        InfrastructureError: a later version of the program wrote it.
    """
    if state[0] == STATE_VERSION:
        return state
    if state[0] == 1:
        return _from_1(state)
    raise InfrastructureError(
        f"The live state is of version {state[0]}, this program reads up to {STATE_VERSION}",
        "",
        "Start the program that wrote it, or rebuild the state from the lake",
    )


def _from_1(state: bytes) -> bytes:
    """Read tables of fixed width; music's tiles keep nothing but their engagement."""
    _, *lengths = _HEADER.unpack_from(state)
    found: list[dict[str, Any]] = []
    at = _HEADER.size
    for dtype, length in zip((_LISTEN, _TILE, _DAY), lengths, strict=True):
        table = np.frombuffer(state, dtype, length, at)
        found.append({name: table[name].copy() for name in dtype.names or ()})
        at += length * dtype.itemsize
    for columns in found[:2]:
        columns["duration"][columns["duration"] == NO_DURATION] = 0
    for name in ("listens", "ms", "duration"):
        found[1][name][found[1]["kind"] != PODCAST] = 0
    tables = room(*lengths)
    for columns, new, names in zip(found, tables, (Listens._fields, Tiles._fields, Days._fields[:3]), strict=True):
        for name, column in zip(names, new, strict=False):
            column[:] = columns[name]
    for place, name in enumerate(_SUMS):
        tables.days.sums[:, place] = found[2][name]
    for place, name in enumerate(("completed", "decayed")):
        tables.days.shares[:, place] = found[2][name]
    return state_of(tables)
