"""A contender's side of ``skewlab bench stream``: its orders, when it may begin, and what it notes of time and work.

Standard library only, since a contender may run in an environment of its own. A contender is a process: its orders are one JSON
object, its only argument. It says ``ready`` once everything is imported, begins when a line comes on standard input, and ends by
printing its marks. Where standard input ends, so does the contender: nobody waits for it any more.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Mark = tuple[float, float, int]
"""Seconds of the machine's monotonic clock, CPU-seconds of the process (user and system, all threads), records done so far."""


class Meter:
    """What a contender notes; a mark costs two readings of a clock, so it is made a batch, not a record."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self._records = 0

    @property
    def records(self) -> int:
        """How many records are done."""
        return self._records

    def add(self, records: int) -> None:
        """Note that so many more records are done."""
        self._records += records
        self.marks.append((time.monotonic(), time.process_time(), self._records))


def orders() -> dict[str, Any]:
    """Return what this process was told to do."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


def begin(leave: Callable[[], object] | None = None) -> None:
    """Say that all is ready and wait for the start; ``leave`` is called when nobody waits any more (None: end at once)."""
    _say({"ready": True})
    if not sys.stdin.readline():
        os._exit(1)
    threading.Thread(target=_listen, args=(leave,), daemon=True).start()


def tell(document: dict[str, Any]) -> None:
    """Print the result."""
    _say(document)


def _listen(leave: Callable[[], object] | None) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    if leave is None:
        os._exit(1)
    leave()


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)
