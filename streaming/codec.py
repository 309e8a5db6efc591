"""A listener's state as bytes, as the store keeps it: a version byte, three lengths, three tables."""

from __future__ import annotations

import struct

import numpy as np

from contract.errors import InfrastructureError
from streaming.tables import DAY, LISTEN, TILE, Listener

STATE_VERSION = 1
_HEADER = struct.Struct("<BIII")


def encode(state: Listener) -> bytes:
    """Write a state."""
    header = _HEADER.pack(STATE_VERSION, len(state.listens), len(state.tiles), len(state.days))
    return b"".join([header, state.listens.tobytes(), state.tiles.tobytes(), state.days.tobytes()])


def decode(blob: bytes) -> Listener:
    """Read a state.

    Raises:
        InfrastructureError: another version of the program wrote it.
    """
    version, *lengths = _HEADER.unpack_from(blob)
    if version != STATE_VERSION:
        raise InfrastructureError(
            f"The live state is of version {version}, this program reads {STATE_VERSION}", "", "Rebuild it from the lake"
        )
    tables, at = [], _HEADER.size
    for dtype, length in zip((LISTEN, TILE, DAY), lengths, strict=True):
        tables.append(np.frombuffer(blob, dtype, length, at).copy())
        at += length * dtype.itemsize
    return Listener(*tables)
