"""What a live member tells Prometheus, asked as Prometheus asks."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.errors import InfrastructureError
from contract.skew import RawRecord
from streaming.metrics import LiveMetrics, served
from streaming.step import DeadLetter, Step
from tests.live import PARTITIONS, InParts, running, wait_until
from tests.logs import home_of
from tests.servers import Servers, emptied

PAGE = Path(__file__).parent.parent / "docs" / "live.md"


@pytest.fixture
def stack(servers: Servers) -> Servers:
    return emptied(servers, PARTITIONS)


def test_prometheus_reads_what_a_member_did(stack: Servers, tmp_path: Path) -> None:
    sent = InParts(stack, 1)
    home, _ = home_of(tmp_path / "home")
    with running(stack, home) as one, served(one.metrics, 0) as port:
        sent.send(0)
        sent.consumed_to(0)
        wait_until(lambda: asked(port).get("skewlab_stream_lag_records", {}) == {str(p): 0 for p in range(PARTITIONS)})
        found = asked(port)
    records = sum(map(len, sent.toy.records.values()))
    steps = sent.steps(home)
    dead = Counter(letter.reason for step in steps for letter in step.dead)
    assert found["skewlab_stream_dead_letters_total"] == dead
    assert found["skewlab_stream_records_total"] == {"": records}
    assert found["skewlab_stream_events_total"] == {"": sum(step.counted for step in steps)}
    assert found["skewlab_stream_partitions"] == {"": PARTITIONS}
    assert found["skewlab_stream_takeover_seconds_count"] == {"": PARTITIONS}
    assert found["skewlab_stream_rebalances_total"] == {"": 1}
    assert 0 < found["skewlab_stream_step_seconds_count"][""] <= records
    assert found["skewlab_stream_freshness_seconds_count"] == found["skewlab_stream_step_seconds_count"]
    assert found["skewlab_stream_published_total"][""] >= dead.total()
    assert {"skewlab_stream_fenced_writes_total", "skewlab_stream_redeliveries_total"} <= found.keys()


def test_a_step_is_counted_once_whatever_it_holds() -> None:
    metrics = LiveMetrics()
    letters = [DeadLetter(RawRecord(i, None, b""), reason, "") for i, reason in enumerate(["schema", "key", "schema"])]
    metrics.stepped([Step(0, 5, dead=letters, counted=2)], 5, 0.5, 0)
    metrics.stepped([], 3, 0.5, 0)  # records that wait for their step's end
    value = metrics.registry.get_sample_value
    assert value("skewlab_stream_records_total") == 8
    assert value("skewlab_stream_events_total") == 2
    assert value("skewlab_stream_step_seconds_count") == 1
    assert value("skewlab_stream_dead_letters_total", {"reason": "schema"}) == 2


def test_a_partition_that_went_is_told_of_no_more() -> None:
    metrics = LiveMetrics()
    metrics.stands({0: 7, 1: 0})
    metrics.stands({1: 2})
    lag = {p: metrics.registry.get_sample_value("skewlab_stream_lag_records", {"partition": p}) for p in "01"}
    assert lag == {"0": None, "1": 2}


def test_a_taken_port_is_one_line() -> None:
    with (
        served(LiveMetrics(), 0) as port,
        pytest.raises(InfrastructureError, match=f"Port {port} is taken"),
        served(LiveMetrics(), port),
    ):
        pass


def test_the_page_lists_every_metric_and_no_other() -> None:
    told = set(re.findall(r"`(skewlab_stream_\w+)`", PAGE.read_text()))
    metrics = LiveMetrics()
    there = {f"{m.name}{'_total' if m.type == 'counter' else ''}" for m in metrics.registry.collect() if "skewlab" in m.name}
    assert told == there


def asked(port: int) -> dict[str, dict[str, float]]:
    """Ask as Prometheus does; return the samples by name, then by the value of their one label, if any."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})["".join(sample.labels.values())] = sample.value
    return found
