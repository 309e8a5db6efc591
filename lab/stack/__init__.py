"""Where brokers come from. The code above cannot tell which it is: it sees a ``Log`` and a ``Store``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InfrastructureError
from contract.keys import EVENTS
from contract.settings import Settings
from lab.stack.embedded import attached, open_embedded
from streaming.kafka_log import KafkaLog, create_topics
from streaming.log import Log, MemoryLog
from streaming.redis_store import RedisStore, connect
from streaming.store import MemoryStore, Store


@dataclass(frozen=True)
class Stack:
    """A running stack: its log and store; the addresses are empty where there is no server."""

    log: Log
    store: Store
    kafka: str = ""
    redis: str = ""


@contextmanager
def open_stack(settings: Settings) -> Iterator[Stack]:
    """Open the stack that the settings name, and close it again.

    ``embedded`` uses the kept stack of the home where one runs.

    Raises:
        InfrastructureError: a server is missing, away or did not start.
    """
    home = settings.places.root
    if settings.stack == "replay":
        yield Stack(MemoryLog(settings.partitions), MemoryStore())
    elif settings.stack != "embedded":
        create_topics(settings.kafka, settings.partitions)
        with _clients(settings.kafka, settings.redis, settings.partitions) as stack:
            yield stack
    elif (kept := attached(home)) is not None:
        with _clients(kept.kafka, kept.redis, kept.partitions) as stack:
            yield stack
    else:
        with _started(home, settings.partitions) as stack:
            yield stack


def addresses(settings: Settings) -> tuple[str, str]:
    """Return where Kafka and Redis of a stack listen that runs apart from this program.

    Raises:
        InfrastructureError: the embedded stack is not kept, or there is no stack at all.
    """
    if settings.stack == "replay":
        raise InfrastructureError("The replay runner is no stack", "both paths run in one process", "Use 'skewlab run'")
    if settings.stack in {"external", "compose"}:
        return settings.kafka, settings.redis
    kept = attached(settings.places.root)
    if kept is None:
        raise InfrastructureError("No stack runs in this home", "", "Start one: 'skewlab stack up'")
    return kept.kafka, kept.redis


def require_unused(stack: Stack) -> None:
    """Make sure that a run begins at the beginning.

    Raises:
        InfrastructureError: the events topic holds records.
    """
    if any(stack.log.ends(EVENTS).values()):
        raise InfrastructureError(
            "The events topic of this stack is not empty",
            "a run needs one of its own",
            "Start afresh: 'skewlab stack down', or 'docker compose down -v'",
        )


@contextmanager
def _started(home: Path, partitions: int) -> Iterator[Stack]:
    running = open_embedded(home, partitions)
    try:
        with _clients(running.kafka, running.redis, partitions) as stack:
            yield stack
    finally:
        running.stop()


@contextmanager
def _clients(kafka: str, redis: str, partitions: int) -> Iterator[Stack]:
    client = connect(redis)
    log = KafkaLog(kafka, partitions)
    try:
        yield Stack(log, RedisStore(client), kafka, redis)
    finally:
        log.close()
        client.close()
