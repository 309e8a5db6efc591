"""The archiver and the compaction in processes that are killed: after a time, or as they touch the n-th file of their home.

One process has everything loaded and forks for each run, so that dozens of deaths take seconds. A run that dies does so by a real
SIGKILL: nothing is closed, flushed or tidied up.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

import streaming.kafka_log
from contract.errors import InfrastructureError
from contract.home import Home
from contract.lake import Lake
from lab.compact import compact
from lab.pipeline import HELD_BYTES, Pipeline
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.store import MemoryStore

ROOT = Path(__file__).parent.parent
TOUCHES = {"open", "os.mkdir", "os.rename", "os.remove"}


class Run(msgspec.Struct, frozen=True):
    """What to do in which home; ``at`` says at which touch of a file to die (0: never), ``after_s`` when to be killed.

    The archiver takes ``records`` of the log at a time, each time with a commit.
    """

    what: str
    home: str
    kafka: str = ""
    partitions: int = 0
    records: int = 12
    at: int = 0
    after_s: float | None = None


class End(msgspec.Struct, frozen=True):
    """How a run ended: whether it was killed, what it refused, how many files it touched."""

    killed: bool
    refused: str = ""
    touches: int = 0


class Runner:
    """The process that forks. Not to be shared between threads."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, run: Run) -> End:
        """Let it be done, and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(run) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=End)


@contextmanager
def runner() -> Iterator[Runner]:
    """Start the process that forks; it ends with its input."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.dying"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Runner(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


class _Death:
    """Counts the touches of files below a folder; at the one that is asked for it kills this process."""

    def __init__(self, folder: str, at: int) -> None:
        self.folder, self.at, self.touches = folder, at, 0
        self._write = pq.write_table
        pq.write_table = self.write_table
        sys.addaudithook(self.audit)

    def audit(self, event: str, details: tuple[Any, ...]) -> None:
        if event in TOUCHES and self._is_mine(details[0]) and self._is_due():
            _die()

    def write_table(self, table: Any, where: Path) -> None:
        """Write a file as it should be; or only half of it, and die."""
        self._write(table, where)
        if self._is_due():
            os.truncate(where, where.stat().st_size // 2)
            _die()

    def _is_mine(self, place: object) -> bool:
        return isinstance(place, str | Path) and str(place).startswith(self.folder)

    def _is_due(self) -> bool:
        self.touches += 1
        return self.touches == self.at


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def archiver(home: Home, kafka: str, partitions: int, held_bytes: int = HELD_BYTES) -> None:
    """Archive as ``skewlab archive`` does."""
    log = KafkaLog(kafka, partitions)
    store = MemoryStore()
    pipeline = Pipeline(home, log, store, Member(home, store, partitions, None), partitions, held_bytes)
    pipeline.open_archives()
    pipeline.archive()
    log.close()


def _do(run: Run) -> End:
    home = Home(Path(run.home))
    death = _Death(run.home, run.at)
    try:
        if run.what == "archive":
            streaming.kafka_log.FETCH_RECORDS = run.records
            archiver(home, run.kafka, run.partitions, held_bytes=1)
        else:
            compact(Lake(home.lake))
    except InfrastructureError as error:
        return End(killed=False, refused=str(error), touches=death.touches)
    return End(killed=False, touches=death.touches)


def _forked(run: Run) -> End:
    """Do a run in a child; kill the child where its time is over."""
    here, there = os.pipe()
    child = os.fork()
    if not child:
        os.write(there, msgspec.json.encode(_do(run)))
        os._exit(0)
    os.close(there)
    if run.after_s is not None and not select.select([here], [], [], run.after_s)[0]:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(here, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if said:
        return msgspec.json.decode(said, type=End)
    assert os.WIFSIGNALED(status), "it neither ended nor was killed: see what it printed"
    return End(killed=True)


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        print(msgspec.json.encode(_forked(msgspec.json.decode(line, type=Run))).decode(), flush=True)
