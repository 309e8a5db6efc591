"""Who is served what since when: ``audit.log`` in the home, a JSON line for each time that another version came into service.

The only place of the lab that holds the time of a clock on the wall: nothing is computed from it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contract.errors import InfrastructureError
from contract.home import Home


class Entry(msgspec.Struct, frozen=True):
    """A version came into service: when, by which command, instead of which, and whether a stack was told of it."""

    at: datetime
    command: str
    version: str
    before: str
    stack: bool


def audit_log(home: Home) -> Path:
    """Return the audit log of a home."""
    return home.root / "audit.log"


def note(home: Home, command: str, version: str, before: str, *, stack: bool) -> Entry:
    """Append an entry.

    Raises:
        InfrastructureError: the log cannot be written.
    """
    entry = Entry(datetime.now(UTC), command, version, before, stack)
    path = audit_log(home)
    try:
        with path.open("ab", buffering=0) as file:  # one write at the end of the file: lines of two writers do not mix
            file.write(msgspec.json.encode(entry) + b"\n")
            os.fsync(file.fileno())
    except OSError as error:
        todo = f"Version '{version}' is in service all the same; mend the file"
        raise InfrastructureError(f"{path} could not be written", error.strerror or str(error), todo) from error
    return entry


def entries(home: Home) -> list[Entry]:
    """Return all entries, oldest first; a line that was cut off is left out."""
    path = audit_log(home)
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            found.append(msgspec.json.decode(line, type=Entry))
        except msgspec.MsgspecError:  # a disk that was full took half of it
            continue
    return found
