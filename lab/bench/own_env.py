"""Environments of their own: what only the bench uses must not move Skewlab's own packages."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from contract.errors import InfrastructureError
from lab.machine.setup import REQUIREMENTS, VENV


def own_python(name: str, called: str, folder: Path) -> Path:
    """Return the Python of the environment with exactly what ``requirements/NAME.txt`` names; made where it is not there yet.

    ``called`` is what messages call its packages; the environment is kept below ``folder``.

    Raises:
        InfrastructureError: no uv, no lock file (a wheel has none), or the packages did not come.
    """
    lock = REQUIREMENTS / f"{name}.txt"
    if not lock.exists():
        raise InfrastructureError(f"{called} cannot be installed", f"{lock.name} is not there", "Run it in a checkout")
    digest = hashlib.sha256(lock.read_bytes() + platform.python_version().encode()).hexdigest()[:16]
    place = folder / f"{name}-{digest}"
    python, done = place / "bin" / "python", place / "done"  # the stamp is written last: what was interrupted is made again
    if not done.exists():
        uv = _uv(called)
        shutil.rmtree(place, ignore_errors=True)
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(place)], called)
        exactly = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *exactly, "-r", str(lock)], called)
        done.touch()
    return python


def _uv(called: str) -> str:
    """Return the uv that the set-up uses."""
    own = VENV / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found is None:
        raise InfrastructureError("There is no uv", f"it makes the environment of {called}", "Run 'make setup'")
    return found


def _run(command: list[str], called: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = said[0] if said else f"exit code {done.returncode}"
        raise InfrastructureError(f"{called} could not be installed", why, "Look at the network and try again")
