"""Processes that can be killed, paused and woken: forked from a server process that has everything loaded already."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from contract.errors import SkewlabError
from streaming.group import Timing

_PR_SET_PDEATHSIG = 1
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["lab.chaos.members", "lab.chaos.archiver"])

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Post:
    """What a process works for: its home, its servers, its numbers."""

    home: Path
    kafka: str
    redis: str
    partitions: int
    step_events: int | None
    timing: Timing = field(default_factory=Timing)


@dataclass
class Forked(ABC):
    """A process that works for a post; what it tells goes to ``log``, a line each."""

    post: Post
    log: Path
    process: ForkServerProcess | None = None

    @staticmethod
    @abstractmethod
    def work(post: Post, tell: Tell) -> None:
        """Do what the process is for."""

    def start(self) -> None:
        """Start it."""
        self.process = _FORKS.Process(target=_run, args=(self.work, self.post, self.log), daemon=True)
        self.process.start()

    def destroy(self) -> None:
        """End it without a word, whatever it does just now, if it is still there."""
        self._signal(signal.SIGKILL)
        self._joined(10)

    def pause(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a paused one go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> int | None:
        """Ask it to end; return its exit code."""
        if self.process is None:
            return None
        self._signal(signal.SIGTERM)
        return self._joined(30)

    def ended(self, seconds: float) -> int | None:
        """Wait for it to end by itself; return its exit code, None where it did not end."""
        return self._joined(seconds)

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.process is not None and self.process.is_alive()

    def said(self) -> list[str]:
        """Return the lines that it told so far."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def pid(self) -> int:
        """Its number, while there is a process."""
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    def _signal(self, number: signal.Signals) -> None:
        if self.alive():
            os.kill(self.pid, number)

    def _joined(self, seconds: float) -> int | None:
        if self.process is None:
            return None
        self.process.join(seconds)
        code = self.process.exitcode
        if code is not None:
            self.process.close()
            self.process = None
        return code


def _run(work: Callable[[Post, Tell], None], post: Post, log: Path) -> None:
    """Do the work; exit with 2 where a fault ends it."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with log.open("a", buffering=1) as out:
        try:
            work(post, lambda line: print(line, file=out))
        except SkewlabError as error:
            print(f"Ended. {error}", file=out)
            sys.exit(2)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
