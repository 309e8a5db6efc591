"""Progress: a bar with the day's verdict on a terminal, plain lines elsewhere, one at least every two seconds."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from types import TracebackType
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

PAUSE_S = 1.5


class Progress(Protocol):
    """What a run tells while it runs."""

    def stage(self, day: int, what: str) -> None:
        """Say what is done now; day -1 is before day 0."""

    def night(self, day: int, document: dict[str, Any]) -> None:
        """Say how a night was judged."""


class Lines:
    """Plain lines. A thread repeats what is going on, so that silence means death."""

    def __init__(self, days: int, out: TextIO) -> None:
        self._days, self._out = days, out
        self._now = "loading"
        self._headed = False
        self._began = time.monotonic()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Lines:
        self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._ticker.join()
        _give_back(self._out)

    def stage(self, day: int, what: str) -> None:
        """See ``Progress.stage``."""
        self._now = f"day {day} of {self._days}: {what}" if day >= 0 else what

    def night(self, day: int, document: dict[str, Any]) -> None:
        """See ``Progress.night``."""
        self._say(line_of(day, document) if self._headed else f"{HEADER}\n{line_of(day, document)}")
        self._headed = True

    def _tick(self) -> None:
        while not self._done.wait(PAUSE_S):
            self._say(f"  … {self._now}, {time.monotonic() - self._began:.0f} s")

    def _say(self, text: str) -> None:
        with self._lock:
            print(text, file=self._out, flush=True)


class Terminal:
    """A bar, and each night's line above it."""

    def __init__(self, days: int, out: TextIO) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
        )
        self._out = out
        self._bar = Bar(*columns, console=Console(file=out))
        self._task = self._bar.add_task("start", total=days)
        self._days = days

    def __enter__(self) -> Terminal:
        self._bar.start()
        self._bar.console.print(HEADER, highlight=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()
        _give_back(self._out)

    def stage(self, day: int, what: str) -> None:
        """See ``Progress.stage``."""
        self._bar.update(self._task, description=f"day {day}: {what}" if day >= 0 else what)

    def night(self, day: int, document: dict[str, Any]) -> None:
        """See ``Progress.night``."""
        self._bar.console.print(line_of(day, document), highlight=False, markup=False)
        self._bar.update(self._task, completed=day + 1)


def progress_of(days: int) -> Lines | Terminal:
    """Return the progress that fits where standard error goes."""
    out = _own_standard_error()
    return Terminal(days, out) if out.isatty() else Lines(days, out)


def _own_standard_error() -> TextIO:
    """Return a copy of standard error: the original is lent to Spark's JVM while it starts."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w")
    except (OSError, io.UnsupportedOperation):
        return sys.stderr


def _give_back(out: TextIO) -> None:
    if out is not sys.stderr:
        out.close()


HEADER = "day night      operations distribution parity   ranking  NDCG@10 clean  hit"
"""Eighty columns, so that no terminal breaks a line of the timeline."""


def line_of(day: int, document: dict[str, Any]) -> str:
    """Write a night as a line of the timeline; ``hit`` is how many of all listeners have a feature beyond tolerance."""
    ndcg, clean = (f"{document[k]:.3f}" if document[k] is not None else "-" for k in ("ndcg", "ndcg_clean"))
    return (
        f"{day:>3} {document['night'][:10]} {document['operations']:<10} {document['distribution']:<12} {document['parity']:<8} "
        f"{document['ranking']:<8} {ndcg:<7} {clean:<6} {document['affected']}/{document['listeners']}"
    )
