"""Telling of incidents: a webhook on this machine, and the gauges that Prometheus would read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.home import Home
from monitoring.alerts import alert, write_gauges
from monitoring.incident import Incident, Suspect
from tests.test_verdict import night

INCIDENT = Incident(
    onset="2026-01-13T00:00:00Z",
    opened="2026-01-13T00:00:00Z",
    last_seen="2026-01-13T00:00:00Z",
    features=["plays_7d"],
    segments=[],
    owners=["listening"],
    suspect=Suspect("session-gap", "gap 20 min", 1.0, None),
    damage={"listeners": 3.0},
)
OVER = msgspec.structs.replace(INCIDENT, recovered="2026-01-15T00:00:00Z")


@dataclass
class Receiver:
    url: str
    status: int = 204
    got: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            found.got.append(json.loads(self.rfile.read(length)))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_incident_is_told_once_however_often_it_is_seen(receiver: Receiver, tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(3):
        alert(Home(tmp_path), [INCIDENT], receiver.url, said.append)
    assert [one["event"] for one in receiver.got] == ["opened"]
    assert receiver.got[0]["incident"]["suspect"]["skew"] == "session-gap"
    assert not said


def test_its_recovery_is_told_once_too(receiver: Receiver, tmp_path: Path) -> None:
    for incident in (INCIDENT, OVER, OVER):
        alert(Home(tmp_path), [incident], receiver.url, print)
    assert [one["event"] for one in receiver.got] == ["opened", "recovered"]
    assert receiver.got[1]["incident"]["recovered"] == "2026-01-15T00:00:00Z"


def test_another_onset_is_another_incident(receiver: Receiver, tmp_path: Path) -> None:
    later = msgspec.structs.replace(INCIDENT, onset="2026-01-20T00:00:00Z")
    alert(Home(tmp_path), [OVER, later], receiver.url, print)
    assert [(one["event"], one["incident"]["onset"][:10]) for one in receiver.got] == [
        ("opened", "2026-01-13"),
        ("recovered", "2026-01-13"),
        ("opened", "2026-01-20"),
    ]


def test_a_receiver_that_refuses_is_told_again_the_next_night(receiver: Receiver, tmp_path: Path) -> None:
    said: list[str] = []
    receiver.status = 503
    alert(Home(tmp_path), [INCIDENT], receiver.url, said.append)
    receiver.status = 204
    alert(Home(tmp_path), [INCIDENT], receiver.url, said.append)
    assert [one["event"] for one in receiver.got] == ["opened", "opened"]
    assert len(said) == 1
    assert "was not told that the incident of 2026-01-13 opened" in said[0]
    assert "503" in said[0]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/nobody", "ftp://127.0.0.1/x", "http://[broken"])
def test_nobody_there_is_one_line_and_no_error(url: str, tmp_path: Path) -> None:
    said: list[str] = []
    alert(Home(tmp_path), [INCIDENT], url, said.append)
    assert len(said) == 1
    assert "\n" not in said[0]


def test_without_an_address_nothing_is_posted_or_written(tmp_path: Path) -> None:
    alert(Home(tmp_path), [INCIDENT], None, print)
    assert not list(tmp_path.iterdir())


def gauges(home: Home) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families((home.reports / "monitor.prom").read_text())
    return {(s.name, ",".join(s.labels.values())): s.value for family in families for s in family.samples}


def test_gauges_tell_the_newest_night(tmp_path: Path) -> None:
    home = Home(tmp_path)
    nights = [night(1), night(2, "fail", affected=["ann", "bob"], exact=0.9, ranking="unjudged")]
    write_gauges(home, nights, [INCIDENT])
    found = gauges(home)
    assert found["skewlab_monitor_suite_passed", "operations"] == 1
    assert found["skewlab_monitor_suite_passed", "parity"] == 0
    assert ("skewlab_monitor_suite_passed", "ranking") not in found
    assert found["skewlab_monitor_affected_listeners", ""] == 2
    assert found["skewlab_monitor_incidents_open", ""] == 1
    assert found["skewlab_monitor_night_timestamp_seconds", ""] == nights[-1].at_ms / 1000
    assert found["skewlab_monitor_incident_onset_timestamp_seconds", ""] == 1768262400


def test_a_recovered_incident_is_not_open(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_gauges(home, [night(1)], [OVER])
    assert gauges(home)["skewlab_monitor_incidents_open", ""] == 0
    assert ("skewlab_monitor_incident_onset_timestamp_seconds", "") not in gauges(home)


def test_without_a_night_there_are_no_gauges(tmp_path: Path) -> None:
    write_gauges(Home(tmp_path), [], [])
    assert not list(tmp_path.iterdir())
