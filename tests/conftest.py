"""What tests share: one Spark session for all of them, the servers of both stacks, a desk for imports, the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.session import open_session
from contract.home import Home
from lab.cli import main
from lab.machine.java import use_java
from tests.containers import NoContainers, kafka_container, redis_container
from tests.desk import Desk
from tests.redis_cluster import Node, started_cluster
from tests.saying import Said, Say
from tests.servers import BOTH_STACKS, Servers, embedded_kafka_at, embedded_redis_at, servers_of
from tests.whole import small_lake


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """Return the session of this process."""
    use_java()
    return open_session(tmp_path_factory.mktemp("spark") / "spark.log", brief=True)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, int]:
    """A home that no night has run in, and the midnight that its lake has reached; tests work on copies of it."""
    home = Home(tmp_path_factory.mktemp("reached"))
    return home, small_lake(home)


@pytest.fixture(scope="session")
def embedded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_redis_at(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def embedded_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_kafka_at(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def container_redis() -> Iterator[str]:
    with _or_skip(redis_container()) as url:
        yield url


@pytest.fixture(scope="session")
def container_kafka() -> Iterator[str]:
    with _or_skip(kafka_container()) as bootstrap:
        yield bootstrap


@contextmanager
def _or_skip(server: AbstractContextManager[str]) -> Iterator[str]:
    with ExitStack() as held:
        try:
            address = held.enter_context(server)
        except NoContainers as why:
            pytest.skip(str(why))
        yield address


@pytest.fixture(params=BOTH_STACKS)
def servers(request: pytest.FixtureRequest) -> Servers:
    """The embedded stack, then the images of the compose file; ``tests.servers.emptied`` removes what is in them."""
    return servers_of(request)


@pytest.fixture(scope="session")
def redis_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """The nodes of a Redis Cluster."""
    with started_cluster(tmp_path_factory.mktemp("nodes")) as nodes:
        yield nodes


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk of the test's own."""
    return Desk(tmp_path)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "STACK", "PARTITIONS", "STEP_EVENTS"):
        monkeypatch.delenv(f"SKEWLAB_{name}", raising=False)

    def run(*arguments: object) -> Said:
        monkeypatch.setattr("sys.argv", ["skewlab", *map(str, arguments)])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        return Said(code, *capsys.readouterr())

    return run
