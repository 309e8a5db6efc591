"""The embedded stack: the real Kafka and Redis, as children that never outlive their purpose."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from contract.errors import InfrastructureError, SkewlabError
from lab.stack.embedded import Embedded, open_embedded
from lab.stack.kafka import cluster_id, free_port, start_kafka
from lab.stack.processes import Child, end, remembered, start
from lab.stack.redis import start_redis
from streaming.kafka_log import create_topics
from streaming.redis_store import RedisStore, connect
from tests.saying import Say
from tests.waiting import until

pytestmark = pytest.mark.stack
PARTITIONS = 3


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    found = open_embedded(tmp_path_factory.mktemp("home"), PARTITIONS)
    yield found
    found.stop()
    assert all(child.process() is None for child in found.children)
    assert not found.folder.exists()


def test_no_cluster_id_is_taken_for_an_option() -> None:
    names = {cluster_id() for _ in range(3_000)}
    assert len(names) == 3_000
    assert not any(name.startswith("-") for name in names)
    assert {len(name) for name in names} == {22}


def test_both_listen_on_loopback_alone(stack: Embedded) -> None:
    for child in stack.children:
        process = child.process()
        assert process is not None
        listening = [c.laddr.ip for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert listening
        assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_port_that_is_taken_is_named(tmp_path: Path, taken: int) -> None:
    with pytest.raises(InfrastructureError, match=f"Port {taken} is taken"):
        start_redis(tmp_path / "redis", keep=False, port=taken)
    with pytest.raises(InfrastructureError, match=f"Port {taken} is taken"):
        start_kafka(tmp_path / "kafka", keep=False, port=taken)


@pytest.mark.parametrize("server", ["redis", "kafka"])
def test_where_somebody_else_is_faster_another_port_is_found(
    tmp_path: Path, taken: int, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([taken])
    monkeypatch.setattr(f"lab.stack.{server}.free_port", lambda: next(ports, None) or free_port())
    stack = open_embedded(tmp_path, 1)
    try:
        assert next(ports, None) is None
        assert not any(f":{taken}" in address for address in (stack.kafka, stack.redis))
    finally:
        stack.stop()


def test_a_redis_that_goes_away_is_told_in_one_line(tmp_path: Path) -> None:
    child, url = start_redis(tmp_path, keep=False)
    until(lambda: connect(url).close())
    client = connect(url)
    store = RedisStore(client)
    store.claim(0)
    end([child])
    with pytest.raises(InfrastructureError, match="Redis did not do 'claim'"):
        store.claim(0)
    with pytest.raises(InfrastructureError, match="No Redis answers"):
        connect(url)
    client.close()


def test_a_kafka_that_is_away_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.kafka_log.CLIENT", {"bootstrap_timeout_ms": 500, "request_timeout_ms": 500})
    with pytest.raises(InfrastructureError, match=r"Kafka at 127\.0\.0\.1:1 did not do what it was asked") as caught:
        create_topics("127.0.0.1:1", PARTITIONS)
    assert "\n" not in str(caught.value)


DIES = """
import sys, time
from pathlib import Path
from lab.stack.embedded import open_embedded
stack = open_embedded(Path(sys.argv[1]), 1, keep=sys.argv[2] == "keep")
print("up", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", ["not kept", "keep"])
def test_kill_9_of_the_program_leaves_nothing_behind_for_long(tmp_path: Path, how: str) -> None:
    """The kernel ends the children on Linux; where it did not (as with kept ones), the next start does."""
    program = subprocess.Popen([sys.executable, "-c", DIES, str(tmp_path), how], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "up\n"
    children = remembered(tmp_path / "stack" / "children.json")
    assert [child.process() is not None for child in children] == [True, True]
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    program.stdout.close()
    if how == "not kept" and sys.platform == "linux":
        until(lambda: _gone(children))
    again = open_embedded(tmp_path, 1)
    assert all(child.process() is None for child in children)
    again.stop()


def _gone(children: list[Child]) -> None:
    if any(child.process() is not None for child in children):
        raise SkewlabError("still there")


def test_a_pid_with_another_owner_is_never_ended(tmp_path: Path) -> None:
    child = start("sleeper", ["sleep", "60"], tmp_path / "log", keep=False)
    end([Child("sleeper", child.pid, child.created - 100)])
    assert child.process() is not None
    end([child])
    assert child.process() is None


def test_a_kept_stack_is_up_until_it_is_taken_down(say: Say, tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    up = say("stack", "up", *home, "--json").document
    try:
        assert say("stack", "status", *home, "--json").document == {"running": True, **up}
        assert "kept stack runs" in say("stack", "up", *home).refusal
    finally:
        assert say("stack", "down", *home, "--json").document == {"ended": True}
    assert say("stack", "status", *home, "--json").document["running"] is False
