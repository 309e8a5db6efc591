"""A Kafka and a Redis for tests that do not care where these come from, and how to empty them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from contract.errors import SkewlabError
from contract.keys import TOPICS
from lab.stack.kafka import start_kafka
from lab.stack.processes import end
from lab.stack.redis import start_redis
from streaming.kafka_log import CLIENT, create_topics, told
from streaming.redis_store import connect
from tests.waiting import until

BOTH_STACKS = (pytest.param("embedded", marks=pytest.mark.stack), pytest.param("container", marks=pytest.mark.container))
"""Where the servers of a test come from: the fixtures are named so, ``embedded_redis`` and the like."""
START_S = 90
"""How long a server may take until it answers."""


@dataclass(frozen=True)
class Servers:
    """The addresses of a running stack."""

    kafka: str
    redis: str


def servers_of(request: pytest.FixtureRequest) -> Servers:
    """Return the servers that a fixture's parameter, one of ``BOTH_STACKS``, names."""
    kafka, redis = (request.getfixturevalue(f"{request.param}_{name}") for name in ("kafka", "redis"))
    return Servers(kafka, redis)


@contextmanager
def embedded_redis_at(folder: Path) -> Iterator[str]:
    """Start the Redis of the embedded stack; end it behind."""
    child, url = start_redis(folder, keep=False)
    try:
        until(lambda: connect(url).close(), START_S)
        yield url
    finally:
        end([child])


@contextmanager
def embedded_kafka_at(folder: Path) -> Iterator[str]:
    """Start the Kafka of the embedded stack; end it behind."""
    child, bootstrap = start_kafka(folder, keep=False)
    try:
        until(lambda: topics_of(bootstrap), START_S)
        yield bootstrap
    finally:
        end([child])


def emptied(servers: Servers, partitions: int) -> Servers:
    """Leave nothing of what a test before wrote: no key, no record; the topics are new ones."""
    with connect(servers.redis) as client:
        client.flushall()
    remove_topics(servers.kafka)
    create_topics(servers.kafka, partitions)
    return servers


def topics_of(bootstrap: str) -> set[str]:
    """Return which of the project's topics are there."""
    with told(bootstrap):
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, **CLIENT)
        try:
            return set(admin.list_topics()) & set(TOPICS)
        finally:
            admin.close()


def remove_topics(bootstrap: str) -> None:
    """Remove the project's topics; when this returns, the broker knows of none."""
    if there := topics_of(bootstrap):
        with told(bootstrap):
            admin = KafkaAdminClient(bootstrap_servers=bootstrap, **CLIENT)
            try:
                admin.delete_topics(sorted(there))
            finally:
                admin.close()
        until(lambda: _require_none(bootstrap))


def _require_none(bootstrap: str) -> None:
    if there := topics_of(bootstrap):
        raise SkewlabError(f"still there: {there}")
