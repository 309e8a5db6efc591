"""A Spark standalone cluster on loopback: a master and workers of one core each, as processes that a test starts and ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import pyspark

from lab.machine.java import find_java
from lab.stack.processes import Child, end, start

SPARK_HOME = Path(pyspark.__file__).parent
DEPLOY = "org.apache.spark.deploy"
BROKEN_PYTHON = "/there/is/no/python"
READY_S = 60
PAUSE_S = 0.2

T = TypeVar("T")


@dataclass(frozen=True)
class Worker:
    """A worker and its folder, in which each executor has a folder of its own with what it said."""

    child: Child
    folder: Path

    def said(self) -> str:
        """What its executors have said so far."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("app-*/*/stderr")))

    def kill(self) -> None:
        """End it and its executors at once, as a machine that lost its power."""
        process = psutil.Process(self.child.pid)
        for one in [process, *process.children(recursive=True)]:
            one.send_signal(signal.SIGKILL)


@dataclass(frozen=True)
class Cluster:
    """A master's address and its workers, whose executors find no Python."""

    master: str
    workers: tuple[Worker, ...]


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start a master and workers in ``folder`` and give them once the master knows all; end every one of them behind it."""
    children: list[Child] = []
    try:
        log = folder / "master.log"
        children.append(_start("master", [f"{DEPLOY}.master.Master"], log))
        master = wait_for(lambda: _found(r"Starting Spark master at (spark://\S+)", log))
        places = [folder / f"worker-{i}" for i in range(workers)]
        for place in places:
            command = [f"{DEPLOY}.worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", str(place), master]
            children.append(_start(place.name, command, folder / f"{place.name}.log"))
        wait_for(lambda: log.read_text().count("Registering worker ") == workers)
        yield Cluster(master, tuple(Worker(*pair) for pair in zip(children[1:], places, strict=True)))
    finally:
        executors = [one for child in children if (found := child.process()) for one in found.children(recursive=True)]
        end(children)
        psutil.wait_procs(executors, timeout=READY_S)
        assert not [one for one in executors if one.is_running()]


@contextmanager
def program(command: Sequence[str], folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program whose ``out`` and ``err`` go to a folder; end it and its children where it still runs behind it."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        env = {**os.environ, "PYSPARK_PYTHON": BROKEN_PYTHON, **environment}
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=env, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(ask: Callable[[], T], seconds: float = READY_S) -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(PAUSE_S)
    return found


def _start(name: str, command: list[str], log: Path) -> Child:
    java = [str(find_java().binary), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{SPARK_HOME}/jars/*"]
    loopback = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
    own = {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SCALA_VERSION": "2.13",  # what Spark's own scripts find out
        "PYSPARK_PYTHON": BROKEN_PYTHON,
    }
    return start(name, [*java, command[0], *loopback, *command[1:]], log, keep=False, env={**os.environ, **own})


def _found(pattern: str, log: Path) -> str:
    found = re.search(pattern, log.read_text())
    return found[1] if found else ""
