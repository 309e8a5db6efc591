"""A Redis Cluster of three nodes on loopback, started from the server that the project finds."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from contract.errors import SkewlabError
from lab.machine.redis import find_redis
from lab.stack.processes import Child, end, start
from tests.waiting import until

NODES = 3
SLOTS = 16_384
HOST = "127.0.0.1"
TO_BUS = 10_000
"""How far above a node's port the one for its fellows is; Redis 6.2 has no setting for it."""
FIRST_PORT, PORTS = 17_000, 5_000
"""With their bus these lie below the ports that systems give to clients, so nobody takes one by chance."""


@dataclass(frozen=True)
class Node:
    """A server of the cluster."""

    child: Child
    port: int

    def client(self) -> redis.Redis:
        return redis.Redis(HOST, self.port)

    def ask(self) -> None:
        """Raise where it does not answer."""
        try:
            with self.client() as client:
                client.ping()
        except redis.exceptions.RedisError as error:
            raise SkewlabError("not yet") from error


@contextmanager
def started_cluster(folder: Path) -> Iterator[list[Node]]:
    """Start three nodes that share all slots evenly; end them behind."""
    nodes: list[Node] = []
    try:
        for number in range(NODES):
            nodes.append(start_node(folder / str(number), free_pair()))
            until(nodes[-1].ask)  # its port is taken from here on
        _join(nodes)
        yield nodes
    finally:
        end([node.child for node in nodes])


def start_node(folder: Path, port: int) -> Node:
    """Start a node; what it knew of its fellows is in its folder."""
    folder.mkdir(exist_ok=True)
    options = {
        "bind": HOST,
        "port": port,
        "dir": folder,
        "save": "",
        "cluster-enabled": "yes",
        "cluster-node-timeout": 2_000,
        "cluster-require-full-coverage": "no",  # a node that is away takes its own partitions with it, no others
    }
    command = [str(find_redis()), *(str(part) for name, value in options.items() for part in (f"--{name}", value))]
    return Node(start(f"redis {port}", command, folder / "redis.log", keep=False), port)


def address_of(nodes: list[Node]) -> str:
    """Return the cluster's address, as ``SKEWLAB_REDIS`` takes it."""
    return "redis+cluster://" + ",".join(f"{HOST}:{node.port}" for node in nodes)


def owner(nodes: list[Node], slot: int) -> Node:
    """Return the node to which a slot was given."""
    return next(node for number, node in enumerate(nodes) if slot in slots_of(number))


def slots_of(number: int) -> range:
    """Return the slots that a node gets."""
    return range(SLOTS * number // NODES, SLOTS * (number + 1) // NODES)


def move_slot(nodes: list[Node], slot: int, source: Node, target: Node) -> None:
    """Move a slot with all its keys to another node, as ``redis-cli --cluster reshard`` does."""
    ids = {}
    for node in nodes:
        with node.client() as client:
            ids[node] = client.execute_command("CLUSTER MYID")
    with source.client() as old, target.client() as new:
        new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
        old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
        keys = old.execute_command("CLUSTER GETKEYSINSLOT", slot, 1_000)
        old.migrate(HOST, target.port, keys, 0, 10_000)
    for node in (target, source, *(other for other in nodes if other not in {source, target})):
        with node.client() as client:
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])


def free_pair() -> int:
    """Return a port that is free, and whose bus is."""
    first = os.getpid() % PORTS  # two runs of the tests begin to look in two places
    for step in range(PORTS):
        port = FIRST_PORT + (first + step) % PORTS
        if _free(port) and _free(port + TO_BUS):
            return port
    raise SkewlabError("No port is free")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _join(nodes: list[Node]) -> None:
    for number, node in enumerate(nodes):
        with node.client() as client:
            client.execute_command("CLUSTER ADDSLOTS", *slots_of(number))
            if number:
                client.execute_command("CLUSTER MEET", HOST, nodes[0].port)
    for node in nodes:
        until(partial(_require_whole, node))


def _require_whole(node: Node) -> None:
    with node.client() as client:
        told = client.execute_command("CLUSTER INFO")
        peers = client.execute_command("CLUSTER NODES")
    if told["cluster_state"] != "ok" or told["cluster_slots_ok"] != str(SLOTS) or len(peers) != NODES:
        raise SkewlabError(f"not yet: {told}")
