"""An environment of its own for Quix Streams: only the bench uses it, and its packages must not move Skewlab's own."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from contract.errors import InfrastructureError
from lab.machine.setup import REQUIREMENTS, VENV

LOCK = REQUIREMENTS / "quix.txt"


def quix_python(folder: Path) -> Path:
    """Return the Python of the environment with exactly what ``requirements/quix.txt`` names; made where it is not there yet.

    Raises:
        InfrastructureError: no uv, no lock file (a wheel has none), or the packages did not come.
    """
    if not LOCK.exists():
        raise InfrastructureError("Quix Streams is not locked here", f"{LOCK.name} is not there", "Run it in a checkout")
    digest = hashlib.sha256(LOCK.read_bytes() + platform.python_version().encode()).hexdigest()[:16]
    place = folder / f"quix-{digest}"
    python, done = place / "bin" / "python", place / "done"  # the stamp is written last: what was interrupted is made again
    if not done.exists():
        uv = _uv()
        shutil.rmtree(place, ignore_errors=True)
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(place)])
        install = ["pip", "install", "--quiet", "--python", str(python), "--require-hashes", "--only-binary", ":all:"]
        _run([uv, *install, "-r", str(LOCK)])
        done.touch()
    return python


def _uv() -> str:
    """Return the uv that the set-up uses."""
    own = VENV / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found is None:
        raise InfrastructureError("There is no uv", "it makes the environment of Quix Streams", "Run 'make setup'")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = said[0] if said else f"exit code {done.returncode}"
        raise InfrastructureError("Quix Streams could not be installed", why, "Look at the network and try again")
