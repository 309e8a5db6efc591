"""One Apache Kafka broker (KRaft) as a child process, straight from its jars."""

from __future__ import annotations

import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from contract.errors import InfrastructureError
from lab.machine.java import find_java
from lab.machine.kafka import kafka_libs
from lab.stack.processes import Child, start

HEAP = "512m"

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
message.timestamp.type=CreateTime
"""

_LOGGING = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="OFF">
  <Appenders><Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%d %p %c{{1}} %m%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""


def start_kafka(folder: Path, *, keep: bool, port: int | None = None) -> tuple[Child, str]:
    """Format a fresh data folder and start a broker on it; return it and its address. It is not ready yet.

    Raises:
        InfrastructureError: no Java, no jars, the port is taken, or the folder cannot be formatted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, controller = port or free_port(), free_port()
    require_free(port)
    properties = folder / "server.properties"
    properties.write_text(_PROPERTIES.format(port=port, controller=controller, folder=folder))
    (folder / "log4j2.xml").write_text(_LOGGING.replace("{{", "{").replace("}}", "}"))
    java = [
        str(find_java().binary), f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
        f"-Dlog4j2.configurationFile={folder}/log4j2.xml", "-cp", f"{kafka_libs()}/*",
    ]  # fmt: skip
    command = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", str(properties)]
    formatted = subprocess.run(command, capture_output=True, text=True, check=False)
    if formatted.returncode:
        raise InfrastructureError(
            "Kafka's data folder could not be formatted", last_line(formatted.stderr), "See 'skewlab doctor'"
        )
    child = start("kafka", [*java, "kafka.Kafka", str(properties)], folder / "kafka.log", keep=keep)
    return child, f"127.0.0.1:{port}"


def cluster_id() -> str:
    """Return a new cluster's id, as Kafka writes it; never with a dash in front, which its tool takes for an option."""
    while (name := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return name


def free_port() -> int:
    """Return a loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PortTaken(InfrastructureError):
    """Somebody listens on a port already."""


def require_free(port: int) -> None:
    """Make sure that a loopback port can be listened on.

    Raises:
        PortTaken: somebody does already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(f"Port {port} is taken", str(error), "Free it or choose another") from error


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
