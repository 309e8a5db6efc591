"""``skewlab doctor``: what this machine has, and what each lack costs."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from contract.errors import SkewlabError
from lab.machine.java import find_java
from lab.machine.kafka import kafka_libs
from lab.machine.redis import find_redis
from lab.stack.kafka import free_port

GIB = 1 << 30
MEMORY_GIB, DISK_GIB = 4, 3


@dataclass(frozen=True)
class Check:
    """One thing: whether it is there, what was found, and what is lost without it. ``needed`` ones fail the doctor."""

    name: str
    good: bool
    found: str
    lack: str
    needed: bool = True


def examine(home: Path) -> list[Check]:
    """Check everything that a run needs, and what only some commands do."""
    return [
        Check("Python", sys.version_info >= (3, 11), platform.python_version(), "nothing runs below 3.11"),
        _asked("Java", lambda: str(find_java().version), "no night, no embedded Kafka"),
        _asked("Kafka", lambda: str(kafka_libs()), "no embedded stack; --stack replay and external still run"),
        _asked("Redis", lambda: str(find_redis()), "no embedded stack; --stack replay and external still run"),
        _memory(),
        _disk(home),
        _asked("ports", lambda: f"loopback gives them ({free_port()})", "no embedded stack"),
        _docker(),
    ]


def lines_of(checks: list[Check]) -> list[str]:
    """Return the checks as lines."""
    return [
        f"{_mark(check)}  {check.name:<8} {check.found}{'' if check.good else f'; without it: {check.lack}'}" for check in checks
    ]


def _mark(check: Check) -> str:
    if check.good:
        return "ok     "
    return "MISSING" if check.needed else "no     "


def _asked(name: str, ask: Callable[[], str], lack: str) -> Check:
    try:
        return Check(name, good=True, found=ask(), lack=lack)
    except (SkewlabError, OSError) as error:
        return Check(name, good=False, found=str(error), lack=lack)


def _memory() -> Check:
    free = psutil.virtual_memory().available / GIB
    return Check(
        "memory", free >= MEMORY_GIB, f"{free:.1f} GiB free of the {MEMORY_GIB} that the demo may use", "a run may be killed"
    )


def _disk(home: Path) -> Check:
    place = next(folder for folder in [home, *home.parents] if folder.exists())
    free = shutil.disk_usage(place).free / GIB
    return Check("disk", free >= DISK_GIB, f"{free:.1f} GiB free at {place}", "lake and reports may not fit")


def _docker() -> Check:
    lack = "no 'docker compose', no container tests"
    docker = shutil.which("docker")
    if docker is None:
        return Check("Docker", good=False, found="there is none", lack=lack, needed=False)
    asked = subprocess.run([docker, "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=False)
    if asked.returncode:
        return Check("Docker", good=False, found="no engine answers", lack=lack, needed=False)
    return Check("Docker", good=True, found=asked.stdout.strip(), lack=lack, needed=False)
