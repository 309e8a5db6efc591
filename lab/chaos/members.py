"""Members as processes that can be killed, paused and woken: forked from a server process that has everything loaded already."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from contract.errors import SkewlabError
from contract.home import Home
from streaming.consumer import consume
from streaming.group import Timing, remove
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect

_PR_SET_PDEATHSIG = 1
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Post:
    """What a member works for: its home, its servers, its numbers."""

    home: Path
    kafka: str
    redis: str
    partitions: int
    step_events: int | None
    timing: Timing = field(default_factory=Timing)


@dataclass
class MemberProcess:
    """A member of the group in a process of its own; what it tells goes to ``log``, a line each."""

    post: Post
    log: Path
    process: ForkServerProcess | None = None

    def start(self) -> None:
        """Start it; it joins the group by itself."""
        self.process = _FORKS.Process(target=_run, args=(self.post, self.log), daemon=True)
        self.process.start()

    def kill(self) -> None:
        """End it as ``kill -9`` does, and take it out of the group as the command that owns members does."""
        if self.process is not None:
            pid = self._pid
            self.destroy()
            remove(self.post.kafka, pid)

    def destroy(self) -> None:
        """End it without a word, whatever it does just now, if it is still there."""
        self._signal(signal.SIGKILL)
        self._joined(10)

    def pause(self) -> None:
        """Let it stand still; the group takes it for dead when its session is over."""
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
    def _pid(self) -> int:
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    def _signal(self, number: signal.Signals) -> None:
        if self.alive():
            os.kill(self._pid, number)

    def _joined(self, seconds: float) -> int | None:
        if self.process is None:
            return None
        self.process.join(seconds)
        code = self.process.exitcode
        if code is not None:
            self.process.close()
            self.process = None
        return code


def _run(post: Post, log: Path) -> None:
    """Be a member until a signal asks to end; exit with 2 where a fault ends it."""
    _die_with_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with log.open("a", buffering=1) as out:
        try:
            _consume(post, stop, lambda line: print(line, file=out))
        except SkewlabError as error:
            print(f"Ended. {error}", file=out)
            sys.exit(2)


def _consume(post: Post, stop: threading.Event, tell: Callable[[str], None]) -> None:
    client = connect(post.redis)
    store = RedisStore(client)
    log = KafkaLog(post.kafka, post.partitions)
    member = Member(Home(post.home), store, post.partitions, post.step_events)
    consume(member, store, log, post.kafka, stop, tell=tell, timing=post.timing)
    log.close()
    client.close()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
