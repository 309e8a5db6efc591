"""``skewlab stream --members``: processes that share the partitions, die, come back, and end when asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from contract.errors import InfrastructureError
from contract.home import Home
from contract.keys import EVENTS
from contract.records import Activation, encode
from contract.settings import Settings
from lab.members import DEATHS, consume_together
from streaming.kafka_log import KafkaLog
from tests.live import PARTITIONS, InParts, stands, wait_until
from tests.logs import home_of
from tests.servers import Servers, emptied

ROOT = Path(__file__).parent.parent


@pytest.fixture
def stack(servers: Servers) -> Servers:
    return emptied(servers, PARTITIONS)


@dataclass
class Together:
    """A running ``skewlab stream --members 2 --json``."""

    process: subprocess.Popen[str]
    lines: Path

    def members(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def told(self) -> list[str]:
        return self.lines.read_text().splitlines()


@contextmanager
def together(stack: Servers, home: Home) -> Iterator[Together]:
    settings = {"STACK": "external", "KAFKA": stack.kafka, "REDIS": stack.redis, "PARTITIONS": str(PARTITIONS)}
    env = {**os.environ, **{f"SKEWLAB_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "lab.cli", "stream", "--members", "2", "--json", "--home", str(home.root)]
    lines = home.root / "told.txt"
    with lines.open("w") as err:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=err, text=True)
    try:
        yield Together(process, lines)
    finally:
        process.kill()
        process.communicate()


def test_a_member_that_is_killed_is_started_again_and_all_end_when_asked(stack: Servers, tmp_path: Path) -> None:
    sent = InParts(stack, 3)
    home, _ = home_of(tmp_path / "home")
    with together(stack, home) as running:
        sent.send(0)
        sent.consumed_to(0)
        first, other = running.members()
        first.kill()
        sent.send(1)
        sent.consumed_to(1)
        wait_until(lambda: any("was ended by SIGKILL" in line and "started again" in line for line in running.told()))
        members = running.members()
        assert len(members) == 2
        assert other in members
        sent.send(2)
        sent.consumed_to(2)
        running.process.send_signal(signal.SIGTERM)
        out, _ = running.process.communicate(timeout=60)
        assert running.process.returncode == 0
        assert json.loads(out) == {"partitions": {str(p): offset for p, offset in stands(stack).items()}}
        assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in members)
    assert sent.stored(home) == sent.expected(home)


def test_members_that_end_again_and_again_end_all_with_one_line(stack: Servers, tmp_path: Path) -> None:
    home, _ = home_of(tmp_path / "home")
    log = KafkaLog(stack.kafka, PARTITIONS)
    log.append(EVENTS, [(p, None, encode(Activation("never-published"))) for p in range(PARTITIONS)])
    log.close()
    with together(stack, home) as running:
        running.process.wait(timeout=120)
        assert running.process.returncode == 2
        refusal = running.told()[-1]
    assert f"ended {DEATHS} times within 60 s" in refusal
    assert "never-published" in refusal


def test_a_taken_port_of_one_member_is_said_before_any_is_started(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, stack="external", kafka="127.0.0.1:1")
    with socket.socket() as taken:
        port = above_a_free_one(taken)
        taken.listen()
        with pytest.raises(InfrastructureError, match=f"Port {port} is taken"):
            consume_together(settings, 2, port - 1, threading.Event(), print)
    assert not (tmp_path / "stream").exists()


def above_a_free_one(one: socket.socket) -> int:
    """Bind it to a port whose predecessor is free, and return the port."""
    while True:
        with socket.socket() as below:
            below.bind(("127.0.0.1", 0))
            port: int = below.getsockname()[1] + 1
            with suppress(OSError, OverflowError):
                one.bind(("127.0.0.1", port))
                return port
