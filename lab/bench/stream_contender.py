"""Contenders as child processes, from outside: start, wait until ready, let begin, ask to leave, read what they noted."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from contract.errors import InfrastructureError
from lab.bench.stream_meter import Mark
from lab.machine.setup import ROOT
from lab.stack.kafka import last_line

LIMIT_S = 3600.0
"""A contender that takes longer hangs: it is ended, and its log then says where it stood."""


class Contender:
    """A running contender."""

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path) -> None:
        self.name = name
        self._process, self._log = process, log
        self._hung = False

    def begin(self) -> None:
        """Let it begin; it must be ready."""
        stdin = self._pipe(self._process.stdin)
        stdin.write("\n")
        stdin.flush()

    def leave(self) -> None:
        """Tell it that nobody waits any more."""
        self._pipe(self._process.stdin).close()

    def heard(self) -> dict[str, Any]:
        """Wait for what it says next.

        Raises:
            InfrastructureError: it ended instead.
        """
        line = self._pipe(self._process.stdout).readline()
        if not line:
            raise self._ended()
        found: dict[str, Any] = msgspec.json.decode(line)
        return found

    def require_alive(self) -> None:
        """Raise InfrastructureError where it has ended."""
        if self._process.poll() is not None:
            raise self._ended()

    def abort(self) -> None:
        """End it because it hangs; Python writes down where each of its threads stands."""
        self._hung = True
        self._process.send_signal(signal.SIGABRT)

    def _ended(self) -> InfrastructureError:
        code = self._process.wait()
        said = last_line(self._log.read_text(errors="replace")) or f"exit code {code}"
        said = "it took too long" if self._hung else said
        return InfrastructureError(f"The contender '{self.name}' ended early", said, f"Its log is {self._log}")

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def contender(
    name: str, orders: dict[str, Any], folder: Path, python: Path | None = None, limit_s: float = LIMIT_S
) -> Iterator[Contender]:
    """Start ``lab.bench.stream_NAME`` and wait until it is ready; end it where it still runs afterwards, or after ``limit_s``.

    Raises:
        InfrastructureError: it ended before it was ready.
    """
    log = folder / f"{name}.log"
    program = [str(python or sys.executable), "-X", "faulthandler", "-m"]
    command = [*program, f"lab.bench.stream_{name}", msgspec.json.encode(orders).decode()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, env=environment
        )
    found = Contender(name, process, log)
    limit = threading.Timer(limit_s, found.abort)
    limit.start()
    try:
        found.heard()
        yield found
    finally:
        limit.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


@dataclass(frozen=True)
class Pace:
    """Records a second of wall time, and a CPU-second of the contenders' own processes."""

    per_s: float
    per_cpu_s: float


def pace(contenders: Sequence[Sequence[Mark]], warm: int) -> Pace:
    """Return the pace of contenders that share the work, from when each of them has done ``warm`` records to its last mark.

    Raises:
        InfrastructureError: one of them did no work behind that.
    """
    begins = [next((mark[0] for mark in marks if mark[2] >= warm), math.inf) for marks in contenders]
    parts = [[mark for mark in marks if mark[0] >= max(begins)] for marks in contenders]
    if any(len(part) < 2 for part in parts):
        did = ", ".join(f"{marks[-1][2] if marks else 0:,} in {len(marks)} batches" for marks in contenders)
        why = f"they did {did}, and {warm:,} are warm-up"
        raise InfrastructureError("A contender did nothing once all were warm", why, "Take more events")
    records = sum(part[-1][2] - part[0][2] for part in parts)
    cpu = sum(part[-1][1] - part[0][1] for part in parts)
    wall = max(part[-1][0] for part in parts) - min(part[0][0] for part in parts)
    return Pace(records / wall, records / cpu)
