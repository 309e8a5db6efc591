"""Several live members on one machine: child processes of ``skewlab stream``, each a member of the consumer group.

A member that ends unasked is told of in one line, taken out of the group at once, so that the others get its partitions, and
started again. One that ends again and again ends all.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from contract.errors import InfrastructureError
from contract.settings import Settings
from lab.live import Tell
from lab.stack import addresses
from lab.stack.kafka import last_line, require_free
from lab.stack.processes import Child, end, start
from streaming.group import positions, remove
from streaming.kafka_log import create_topics
from streaming.warm import warm

DEATHS, WITHIN_S = 3, 60.0
"""A member that ends so often within so many seconds is not started again: what ends it does not pass."""
LOOK_S = 0.2
STOP_S = 60.0
"""How long a member may take to finish its step, relay, commit and leave the group."""


@dataclass
class _Place:
    """One member's place: the process that has it, its log, and when those ended that had it."""

    number: int
    command: Sequence[str]
    env: dict[str, str]
    log: Path
    child: Child
    process: psutil.Process
    ended: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))


def consume_together(
    settings: Settings, members: int, metrics_port: int | None, stop: threading.Event, tell: Tell
) -> dict[int, int]:
    """Keep members until ``stop`` is set; return where each partition then stood.

    Args:
        settings: of all of them; the stack has to run apart from this program.
        members: how many.
        metrics_port: where the first one serves its metrics, each other one port further; None serves none.
        stop: ends all: each finishes the step in hand first.
        tell: gets a line where a member ended unasked.

    Raises:
        InfrastructureError: a server is away, a port is taken, or a member ended again and again.
    """
    ports = [None if metrics_port is None else metrics_port + i for i in range(members)]
    for port in ports:
        if port is not None:
            require_free(port)
    kafka, _ = addresses(settings)
    create_topics(kafka, settings.partitions)
    warm()  # here once, and not in each member at the same time
    folder = settings.places.root / "stream"
    folder.mkdir(parents=True, exist_ok=True)
    places: list[_Place] = []
    try:
        places.extend(_place(settings, folder, number, port) for number, port in enumerate(ports))
        while not stop.is_set():
            _look(places, kafka, stop, tell)
    finally:
        _end_all(places)
    return positions(kafka)


def _place(settings: Settings, folder: Path, number: int, port: int | None) -> _Place:
    command = [sys.executable, "-m", "lab.cli", "stream"]
    if port is not None:
        command += ["--metrics-port", str(port)]
    log = folder / f"member-{number}.log"
    log.unlink(missing_ok=True)
    given = {f"SKEWLAB_{name.upper()}": str(value) for name, value in settings if settings.given(name)}
    env = {**os.environ, **given, "SKEWLAB_HOME": str(settings.places.root)}
    return _Place(number, command, env, log, *_started(number, command, env, log))


def _started(number: int, command: Sequence[str], env: dict[str, str], log: Path) -> tuple[Child, psutil.Process]:
    child = start(f"member {number}", command, log, keep=False, env=env)
    return child, psutil.Process(child.pid)  # it is waited for by nobody else, so the pid stays its own


def _look(places: list[_Place], kafka: str, stop: threading.Event, tell: Tell) -> None:
    """Wait a moment; start again those that ended meanwhile."""
    gone, _ = psutil.wait_procs([place.process for place in places], timeout=LOOK_S)
    for place in places:
        if place.process in gone and not stop.is_set():
            end([place.child])
            remove(kafka, place.child.pid)
            _again(place, _how(place.process.returncode), tell)


def _again(place: _Place, how: str, tell: Tell) -> None:
    """Start a member again whose process ended.

    Raises:
        InfrastructureError: it has ended too often.
    """
    said = last_line(place.log.read_text(errors="replace")) if place.log.exists() else ""
    place.ended.append(time.monotonic())
    if len(place.ended) == DEATHS and place.ended[-1] - place.ended[0] < WITHIN_S:
        times = f"Member {place.number} ended {DEATHS} times within {WITHIN_S:.0f} s"
        raise InfrastructureError(times, said or how, f"Its log is {place.log}")
    place.child, place.process = _started(place.number, place.command, place.env, place.log)
    tell(f"Member {place.number} {how}{f', its last line: {said}' if said else ''}; started again as process {place.child.pid}.")


def _how(code: int | None) -> str:
    if code is None:
        return "ended"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _end_all(places: Sequence[_Place]) -> None:
    """Ask all to end and give them time for what they have in hand; then insist."""
    for place in places:
        with suppress(psutil.NoSuchProcess):
            place.process.terminate()
    psutil.wait_procs([place.process for place in places], timeout=STOP_S)
    end([place.child for place in places])
