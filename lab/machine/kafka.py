"""Kafka's own jars, brought by Ivy (the resolver behind Spark's ``--packages``) and checked against ``kafka.lock``.

Standard library only. ``python -m lab.machine.kafka`` brings them; ``--lock`` writes the lock anew from what came.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contract.errors import InfrastructureError
from lab.machine.java import find_java

GROUP, ARTIFACT, VERSION = "org.apache.kafka", "kafka_2.13", "4.3.1"
LOCK = Path(__file__).parent / "kafka.lock"
SIZE = "45 jars, 44 MB"
LIMIT_S = 900


def cache_folder() -> Path:
    """Return Skewlab's folder in the user's cache."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "skewlab"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "skewlab"
    return Path.home() / ".cache" / "skewlab"


def kafka_libs() -> Path:
    """Return the folder of Kafka's jars, whole and checked.

    Raises:
        InfrastructureError: they are not there, or not what the lock names.
    """
    own = os.environ.get("SKEWLAB_KAFKA_LIBS")
    if own:
        if not list(Path(own).glob("kafka-clients-*.jar")):
            raise InfrastructureError(f"SKEWLAB_KAFKA_LIBS={own} holds no Kafka", "", "Name the libs folder of a Kafka 4")
        return Path(own)
    libs = cache_folder() / f"kafka-{VERSION}"
    wrong = faults(libs)
    if wrong:
        raise InfrastructureError(f"Kafka's jars in {libs} are not whole", wrong, "Run 'make setup'")
    return libs


def faults(libs: Path) -> str:
    """Say what is wrong with a folder of jars by the lock; nothing where all is well."""
    if not libs.is_dir():
        return "the folder is not there"
    for line in LOCK.read_text().splitlines():
        digest, name = line.split()
        jar = libs / name
        if not jar.is_file():
            return f"{name} is missing"
        if hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            return f"{name} is not the file that the lock names"
    return ""


def bring() -> Path:
    """Resolve the jars where they are not there yet; put them into place only when all are right.

    Raises:
        InfrastructureError: no Java, no network, or another file than the lock names.
    """
    if os.environ.get("SKEWLAB_KAFKA_LIBS"):
        return kafka_libs()
    libs = cache_folder() / f"kafka-{VERSION}"
    if not faults(libs):
        _say(f"Kafka {VERSION}'s jars are there")
        return libs
    _say(f"Kafka {VERSION}: resolving {SIZE}")
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".kafka-") as folder:
        _resolve(Path(folder))
        wrong = faults(Path(folder) / "libs")
        if wrong:
            raise InfrastructureError(
                "Kafka's jars were resolved and are not right", wrong, "Try again; mind the network's proxy"
            )
        shutil.rmtree(libs, ignore_errors=True)
        (Path(folder) / "libs").rename(libs)
    return libs


def _resolve(folder: Path) -> None:
    """Run Ivy; its own cache stays in ``folder`` and goes with it."""
    command = [
        str(find_java().binary), "-jar", str(_ivy()), "-cache", str(folder / "ivy"), "-confs", "default",
        "-dependency", GROUP, ARTIFACT, VERSION, "-retrieve", f"{folder}/libs/[artifact]-[revision].[ext]",
    ]  # fmt: skip
    settings = os.environ.get("SKEWLAB_IVY_SETTINGS")
    log = folder / "ivy.log"
    with log.open("w") as out:
        process = subprocess.Popen(command + (["-settings", settings] if settings else []), stdout=out, stderr=out)
        try:
            _watch(process, folder)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        last = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()][-1:]
        raise InfrastructureError(
            "Kafka's jars could not be resolved", "".join(last), "Look at the network, or set SKEWLAB_KAFKA_LIBS"
        )


def _watch(process: subprocess.Popen[bytes], folder: Path) -> None:
    start = time.monotonic()
    while process.poll() is None:
        came = sum(1 for _ in (folder / "ivy").glob("**/*.jar"))
        _say(f"Kafka {VERSION}: {came} of 45 jars, {time.monotonic() - start:.0f} s")
        if time.monotonic() - start > LIMIT_S:
            raise InfrastructureError(f"Kafka's jars did not come within {LIMIT_S} s", "", "Look at the network and try again")
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            continue


def _ivy() -> Path:
    """Return the Ivy that PySpark carries, without importing PySpark."""
    spec = importlib.util.find_spec("pyspark")
    places = list(spec.submodule_search_locations or []) if spec else []
    found = [jar for place in places for jar in Path(place).glob("jars/ivy-*.jar")]
    if not found:
        raise InfrastructureError("PySpark is not installed, and Ivy comes with it", "", "Run 'make setup'")
    return found[0]


def _lock() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _resolve(Path(folder))
        jars = sorted((Path(folder) / "libs").glob("*.jar"))
        LOCK.write_text("".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        _lock() if "--lock" in sys.argv[1:] else bring()
    except InfrastructureError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
