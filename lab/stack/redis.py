"""A Redis server as a child process."""

from __future__ import annotations

from pathlib import Path

from lab.machine.redis import find_redis
from lab.stack.kafka import free_port, require_free
from lab.stack.processes import Child, start


def start_redis(folder: Path, *, keep: bool, port: int | None = None) -> tuple[Child, str]:
    """Start a server that keeps nothing on disk, on loopback; return it and its address.

    Raises:
        InfrastructureError: there is no server, or the port is taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    require_free(port)
    options = {"bind": "127.0.0.1", "port": str(port), "save": "", "appendonly": "no", "dir": str(folder), "daemonize": "no"}
    command = [str(find_redis()), *(part for name, value in options.items() for part in (f"--{name}", value))]
    return start("redis", command, folder / "redis.log", keep=keep), f"redis://127.0.0.1:{port}/0"
