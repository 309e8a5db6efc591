"""The embedded stack: a real Kafka and a real Redis as children of this program, in the home folder.

``open_embedded`` starts both side by side and ends them with the program; ``up`` keeps them until ``down``.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import redis

from contract.errors import InfrastructureError
from contract.home import write_whole
from lab.stack.kafka import PortTaken, last_line, start_kafka
from lab.stack.processes import Child, end, remember, remembered
from lab.stack.redis import start_redis
from streaming.kafka_log import KafkaLog, create_topics

READY_S = 90
ATTEMPTS = 3
"""How often ports are looked for."""


class Addresses(msgspec.Struct, frozen=True):
    """Where a kept stack listens, and who it is."""

    kafka: str
    redis: str
    partitions: int
    children: list[Child]


@dataclass
class Embedded:
    """A running stack."""

    folder: Path
    kafka: str
    redis: str
    children: list[Child]

    def stop(self) -> None:
        """End it and remove its data."""
        end(self.children)
        shutil.rmtree(self.folder, ignore_errors=True)


def open_embedded(home: Path, partitions: int, *, keep: bool = False) -> Embedded:
    """Start a fresh stack below ``home``; end what an earlier program left there.

    Raises:
        InfrastructureError: something is missing, or a server died while it started.
    """
    folder = (home / "stack").resolve()
    if attached(home) is not None:
        raise InfrastructureError("A kept stack runs in this home", "", "Use it, or end it with 'skewlab stack down'")
    end(remembered(folder / "children.json"))
    for _ in range(ATTEMPTS - 1):
        with suppress(PortTaken):  # a free port was found, and somebody else was faster
            return _opened(folder, partitions, keep)
    return _opened(folder, partitions, keep)


def _opened(folder: Path, partitions: int, keep: bool) -> Embedded:
    """Start both servers on ports that are free just now.

    Raises:
        PortTaken: they were not any more when a server came to them.
        InfrastructureError: something is missing, or a server died while it started.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    children: list[Child] = []
    try:
        store, redis_url = start_redis(folder / "redis", keep=keep)
        children.append(store)
        remember(folder / "children.json", children)
        broker, kafka = start_kafka(folder / "kafka", keep=keep)
        children.append(broker)
        remember(folder / "children.json", children)
        _ready(broker, folder / "kafka" / "kafka.log", lambda: create_topics(kafka, partitions))
        _ready(store, folder / "redis" / "redis.log", lambda: redis.Redis.from_url(redis_url).ping())
    except BaseException:
        end(children)
        raise
    return Embedded(folder, kafka, redis_url, children)


def up(home: Path, partitions: int) -> Addresses:
    """Start a stack that stays until ``down``."""
    stack = open_embedded(home, partitions, keep=True)
    addresses = Addresses(stack.kafka, stack.redis, partitions, stack.children)
    write_whole(home / "stack.json", msgspec.json.encode(addresses))
    return addresses


def attached(home: Path) -> Addresses | None:
    """Return the kept stack of a home, or None where none runs."""
    try:
        found = msgspec.json.decode((home / "stack.json").read_bytes(), type=Addresses)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if all(child.process() is not None for child in found.children) else None


def down(home: Path) -> bool:
    """End the kept stack of a home; tell whether there was one."""
    there = attached(home) is not None
    end(remembered(home / "stack" / "children.json"))
    (home / "stack.json").unlink(missing_ok=True)
    shutil.rmtree(home / "stack", ignore_errors=True)
    return there


def _ready(child: Child, log: Path, ask: Callable[[], object]) -> None:
    """Ask until it answers; say what its log says where it died instead, also where another server answers in its place.

    Raises:
        PortTaken: it died because its port was taken.
        InfrastructureError: it died of something else, or did not answer in time.
    """
    deadline = time.monotonic() + READY_S
    while True:
        try:
            ask()
            failed = None
        except (InfrastructureError, redis.exceptions.RedisError) as error:
            failed = error
        lives = child.process() is not None
        if lives and failed is None:
            return
        if not lives or time.monotonic() > deadline:
            text = log.read_text(errors="replace") if log.exists() else ""
            kind = PortTaken if "Address already in use" in text else InfrastructureError
            raise kind(f"{child.name} did not start", last_line(text) or str(failed), f"Its log is {log}") from failed
        time.sleep(0.2)  # between two questions; readiness itself is asked for


__all__ = ["Addresses", "Embedded", "KafkaLog", "attached", "down", "open_embedded", "up"]
