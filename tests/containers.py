"""The images of the compose file as servers for tests, published on loopback.

The Docker Engine must be on this machine. What keeps a container from running here is told by ``NoContainers``, and those tests
are skipped with it; what goes wrong behind the start is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import docker  # type: ignore[import-untyped]
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from lab.stack.kafka import free_port, last_line
from streaming.redis_store import connect
from tests.servers import START_S, topics_of
from tests.waiting import until

KAFKA_IMAGE = "apache/kafka:4.3.1"
REDIS_IMAGE = "redis:8.0-bookworm"
HOST = "127.0.0.1"
REDIS_PORT = 6379
CONTROLLER_PORT = 9093


class NoContainers(Exception):
    """No Docker Engine answers, or an image neither is here nor can be pulled."""


@contextmanager
def redis_container() -> Iterator[str]:
    """Run the Redis image; remove its container behind.

    Raises:
        NoContainers: it cannot run on this machine.
    """
    port = free_port()
    with _running(REDIS_IMAGE, {REDIS_PORT: port}, {}) as container:
        url = f"redis://{HOST}:{port}/0"
        _ready(container, lambda: connect(url).close())
        yield url


@contextmanager
def kafka_container() -> Iterator[str]:
    """Run the Kafka image; remove its container behind.

    Raises:
        NoContainers: it cannot run on this machine.
    """
    port = free_port()
    with _running(KAFKA_IMAGE, {port: port}, kafka_settings(port)) as container:
        bootstrap = f"{HOST}:{port}"
        _ready(container, lambda: topics_of(bootstrap))
        yield bootstrap


def kafka_settings(port: int) -> dict[str, str]:
    """Return the variables of a broker that listens, inside and outside of its container, on the same port.

    So the one address that it advertises is right for both, and no second listener is needed.
    """
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@localhost:{CONTROLLER_PORT}",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:{CONTROLLER_PORT}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    return {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}


@contextmanager
def _running(image: str, ports: Mapping[int, int], settings: dict[str, str]) -> Iterator[DockerContainer]:
    """Run an image with some of its ports at ports of this machine's loopback."""
    _require(image)
    if not testcontainers_config.ryuk_disabled:
        _require(testcontainers_config.ryuk_image)  # it removes the containers of a killed test run
    container = DockerContainer(image, env=settings)
    published = {f"{inside}/tcp": (HOST, outside) for inside, outside in ports.items()}
    container.ports.update(published)  # type: ignore[arg-type]  # its own calls publish on all interfaces
    with container:
        yield container


def _require(image: str) -> None:
    """Have an image on this machine.

    Raises:
        NoContainers: there is no engine, or no such image.
    """
    try:
        client = docker.from_env()
    except docker.errors.DockerException as error:
        raise NoContainers(f"No Docker Engine answers: {last_line(str(error))}") from error
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        _pull(client, image)
    finally:
        client.close()


def _pull(client: docker.DockerClient, image: str) -> None:
    try:
        client.images.pull(image)
    except docker.errors.APIError as error:
        raise NoContainers(f"The image {image} is not here and cannot be pulled: {last_line(str(error))}") from error


def _ready(container: DockerContainer, ask: object) -> None:
    """Ask until it answers; say what its log says where it does not."""
    assert callable(ask)
    try:
        until(ask, START_S)
    except Exception as error:
        out, err = container.get_logs()
        error.add_note((out + err).decode(errors="replace")[-2_000:])
        raise
