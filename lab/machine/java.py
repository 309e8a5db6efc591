"""Finding a Java that Spark can use. Standard library only: the set-up asks before anything is installed."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InfrastructureError

USABLE = (17, 21)
"""What Spark 4.1 runs on; Kafka 4.3 and Ivy run on the same."""
HOW_TO_GET = "Install one (Debian: apt install openjdk-17-jre-headless; macOS: brew install openjdk@21) or set JAVA_HOME"
_USUAL = (
    "/usr/lib/jvm/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk@*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk@*/libexec/openjdk.jdk/Contents/Home",
    "~/.sdkman/candidates/java/*",
)


@dataclass(frozen=True)
class Java:
    """A Java by its home folder."""

    home: Path
    version: int

    @property
    def binary(self) -> Path:
        """The ``java`` program."""
        return self.home / "bin" / "java"


def find_java() -> Java:
    """Return the first usable Java: of JAVA_HOME, of the path, of the usual folders.

    Raises:
        InfrastructureError: there is none, or only ones that Spark cannot use.
    """
    others: list[int] = []
    for home in _candidates():
        version = version_of(home)
        if version in USABLE:
            return Java(home, version)
        if version is not None:
            others.append(version)
    if others:
        found = ", ".join(str(version) for version in dict.fromkeys(others))
        raise InfrastructureError(f"Spark needs Java 17 or 21, and only Java {found} was found", "", HOW_TO_GET)
    raise InfrastructureError("There is no Java, and Spark and Kafka need one of version 17 or 21", "", HOW_TO_GET)


def use_java() -> Java:
    """Find a Java and make it the one that Spark starts in this process."""
    java = find_java()
    os.environ["JAVA_HOME"] = str(java.home)
    return java


def version_of(home: Path) -> int | None:
    """Return the feature version of the Java at a folder, or None where there is none that runs."""
    binary = home / "bin" / "java"
    if not binary.exists():
        return None
    try:
        told = subprocess.run([str(binary), "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else None


def _candidates() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    for pattern in _USUAL:
        for folder in sorted(glob.glob(str(Path(pattern).expanduser()))):  # noqa: PTH207 (the pattern is absolute)
            yield Path(folder)
