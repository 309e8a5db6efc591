"""One writer at a time: a lock on a file, which the kernel takes back when its holder dies, however it dies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from contract.errors import InfrastructureError

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of the file ``path``, which stays and is empty; give False where ``wait`` is off and another holds it.

    Where the system has no ``flock`` nothing is locked.

    Raises:
        InfrastructureError: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        todo = "Name another home, or mend this one"
        raise InfrastructureError(f"{path} could not be made", error.strerror or str(error), todo) from error
    with file:  # closing it gives the lock back
        yield _taken(file, wait=wait)


def _taken(file: IO[bytes], *, wait: bool) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
    return True
