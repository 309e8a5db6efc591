"""Child processes that never outlive their purpose.

On Linux the kernel ends a child with its parent (``PR_SET_PDEATHSIG``), even after ``kill -9``. Everywhere, each child is written
down with its creation time, and the next start ends those that were left: a pid alone may have another owner by then.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from contract.home import write_whole

_PR_SET_PDEATHSIG = 1
GRACE_S = 10


class Child(msgspec.Struct, frozen=True):
    """A process that was started: its name, pid and creation time (s since the epoch)."""

    name: str
    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """Return the process where it still is the same one."""
        try:
            found = psutil.Process(self.pid)
            return found if abs(found.create_time() - self.created) < 1 and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def start(name: str, command: Sequence[str], log: Path, *, keep: bool, env: dict[str, str] | None = None) -> Child:
    """Start a child; ``keep`` lets it outlive this program."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" and not keep else None

    def die_with_parent() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    _started[process.pid] = process
    return Child(name, process.pid, psutil.Process(process.pid).create_time())


_started: dict[int, subprocess.Popen[bytes]] = {}
"""This program's own children, so that they can be waited for."""


def end(children: Sequence[Child]) -> None:
    """End children: ask, wait, then insist."""
    alive = [process for child in children if (process := child.process()) is not None]
    for process in alive:
        process.terminate()
    _, left = psutil.wait_procs(alive, timeout=GRACE_S)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=GRACE_S)
    for pid, own in list(_started.items()):
        if own.poll() is not None:
            del _started[pid]


def remember(path: Path, children: Sequence[Child]) -> None:
    """Write down who was started."""
    write_whole(path, msgspec.json.encode(list(children)))


def remembered(path: Path) -> list[Child]:
    """Return who was written down; nobody where the file is not there or broken."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Child])
    except (OSError, msgspec.MsgspecError):
        return []
