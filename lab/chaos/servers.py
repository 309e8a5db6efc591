"""A real Kafka and a real Redis that can be killed and started again, at the same address, on what they had on disk."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from contract.errors import InfrastructureError, SkewlabError
from lab.machine.redis import find_redis
from lab.stack.kafka import free_port, start_kafka
from lab.stack.processes import Child, end, start
from streaming.kafka_log import create_topics

READY_S = 60.0
PAUSE_S = 0.05


@dataclass
class Server:
    """One server: what starts it, and the process that it is now."""

    name: str
    address: str
    command: list[str]
    log: Path
    ready: Callable[[], object]
    child: Child | None = None

    def start(self, *options: str) -> None:
        """Start it on what it left, and wait until it answers; ``options`` are added to its command for good.

        Raises:
            InfrastructureError: it did not answer in time.
        """
        self.command += options
        self.child = start(self.name, self.command, self.log, keep=False)
        settle(self.ready, READY_S)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        if self.child is not None and (process := self.child.process()) is not None:
            process.kill()
            process.wait(10)
        self.child = None

    def stop(self) -> None:
        """End it as a good administrator does."""
        end([self.child] if self.child is not None else [])
        self.child = None


@dataclass(frozen=True)
class Servers:
    """Both."""

    kafka: Server
    redis: Server


@contextmanager
def open_servers(folder: Path, partitions: int) -> Iterator[Servers]:
    """Start both with fresh data below ``folder``, and end them at last."""
    servers = Servers(_kafka(folder / "kafka", partitions), redis_server(folder / "redis"))
    try:
        servers.redis.start()
        settle(servers.kafka.ready, READY_S)
        yield servers
    finally:
        servers.redis.stop()
        servers.kafka.stop()


def redis_server(folder: Path, *, keeps: bool = True) -> Server:
    """Return a Redis on loopback, not started yet; one that ``keeps`` has each write on disk before it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    options = {"bind": "127.0.0.1", "port": str(port), "dir": str(folder), "save": "", "appendfsync": "always"}
    options["appendonly"] = "yes" if keeps else "no"
    command = [str(find_redis()), *(part for name, value in options.items() for part in (f"--{name}", value))]
    return Server("redis", url, command, folder / "redis.log", lambda: _listens(port))


def _kafka(folder: Path, partitions: int) -> Server:
    child, address = start_kafka(folder, keep=False)
    command = psutil.Process(child.pid).cmdline()
    return Server("kafka", address, command, folder / "kafka.log", lambda: _serves(address, partitions), child)


def _serves(address: str, partitions: int) -> None:
    _listens(int(address.rpartition(":")[2]))  # cheaper to ask than a client of Kafka is to make
    create_topics(address, partitions)


def _listens(port: int) -> None:
    try:
        with socket.create_connection(("127.0.0.1", port)):
            pass
    except OSError as error:
        raise InfrastructureError(f"Nobody listens on port {port}", str(error)) from error


def settle(ask: Callable[[], object], seconds: float) -> None:
    """Ask until nothing is raised; raise what was raised last where the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except SkewlabError as error:
            if time.monotonic() > deadline:
                raise InfrastructureError(f"It did not come to rest in {seconds:.0f} s", str(error)) from error
        else:
            return
        time.sleep(PAUSE_S)  # between two questions; readiness itself is asked for
