"""The measurement of the live path: its arithmetic by hand, its contenders as real processes, and a tiny run of it all."""

from __future__ import annotations

import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from contract.errors import InfrastructureError
from contract.event import Event
from contract.home import Home
from contract.records import Activation, PartitionClock, Watermark, judge
from contract.settings import load_settings
from contract.versions import Versions
from lab.bench import own_env, stream
from lab.bench.own_env import own_python
from lab.bench.report import document, failed
from lab.bench.stream import Found, Fresh, Size, bench_stream
from lab.bench.stream_contender import Pace, contender, pace
from lab.bench.stream_fresh import Probe, delays
from lab.bench.stream_memory import Feed
from lab.bench.stream_world import VERSION, Listening, bench_home, listening, write_log
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.store import MemoryStore

PARTITIONS = 2
TINY = Size(12_000, 800, 3_000, 1, 2, 600, 20, 0.5, claim=False)
NAMES = [
    "events_per_cpu_s", "vs_raw_poll", "vs_quix", "two_members", "freshness_p99_ms", "rss_growth_mb", "state_bytes_median",
]  # fmt: skip


def toy() -> Listening:
    return listening(40, 50, PARTITIONS)


def away(*_: object) -> Path:
    raise InfrastructureError("Quix Streams could not be installed", "no network")


def test_a_pace_begins_behind_the_warm_up_and_ends_with_the_last_batch() -> None:
    marks = [(0.0, 5.0, 10), (1.0, 6.0, 100), (3.0, 7.0, 300), (5.0, 8.0, 500)]
    assert pace([marks], 100) == Pace(per_s=100.0, per_cpu_s=200.0)


def test_members_that_share_the_work_are_measured_from_when_the_last_of_them_is_warm() -> None:
    early = [(0.0, 1.0, 100), (2.0, 2.0, 200), (4.0, 3.0, 300)]
    late = [(1.0, 9.0, 50), (2.0, 9.5, 100), (5.0, 10.5, 400)]
    assert pace([early, late], 100) == Pace(per_s=400 / 3, per_cpu_s=200.0)


@pytest.mark.parametrize("marks", [[], [(0.0, 0.0, 500)], [(0.0, 0.0, 5), (1.0, 1.0, 9)]])
def test_a_contender_that_did_nothing_once_warm_has_no_pace(marks: list[tuple[float, float, int]]) -> None:
    with pytest.raises(InfrastructureError, match=r"did nothing once all were warm.*Take more events"):
        pace([marks], 10)


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    found = Found({"member": [Pace(1, 30), Pace(1, 10), Pace(1, 50)], "raw": [Pace(1, 60), Pace(1, 10), Pace(1, 50)]})
    assert found.ratio("member", "raw") == 1.0
    assert found.middle("member") == Pace(1, 30)


def test_a_round_that_could_not_be_measured_counts_nowhere() -> None:
    found = Found({"members": [stream.NONE, Pace(1, 30)], "member": [Pace(1, 10), Pace(1, 60)]})
    assert found.middle("members") == Pace(1, 30)
    assert found.ratio("members", "member") == 0.5
    assert math.isnan(Found({"members": [stream.NONE]}).middle("members").per_s)


def test_quix_that_is_not_there_is_told_and_not_invented() -> None:
    found = Found({name: [Pace(100.0, 200.0)] for name in ("raw", "member", "members")}, no_quix="no network")
    row = next(row for row in stream._paces(found) if row.name == "vs_quix")
    assert math.isnan(row.value)
    assert row.baseline == "not measured: no network"
    assert not failed([row])


def test_freshness_without_its_load_is_no_figure() -> None:
    assert stream._freshness(Fresh(990.0, 5.0, 12.0, 1.0), 1_000).value == 12.0
    assert math.isnan(stream._freshness(Fresh(900.0, 5.0, 12.0, 1.0), 1_000).value)


def test_an_event_is_fresh_when_the_stored_offset_has_passed_it() -> None:
    probe = Probe(connect_nowhere(), PARTITIONS, [1.0, 2.0, 3.0], [[5, 0], [6, 0], [7, 2]])
    found = delays(probe, {0: 5, 1: 0}, [0, 1, 0, 1, 0], [0.5, 0.5, 1.0, 2.0, 2.0])
    np.testing.assert_array_equal(found, [1.5, 2.5, 2.0, 1.0, math.nan])


def connect_nowhere() -> stream.redis.Redis:
    return stream.redis.Redis()  # a client connects when it is first asked


def test_a_log_has_its_events_a_warm_up_and_a_watermark_before_each_day() -> None:
    log = MemoryLog(PARTITIONS)
    write_log(log, toy(), 600)
    events, marks = 0, 0
    for partition, records in log.read("listening-events", {0: 0, 1: 0}).items():
        clock = PartitionClock()
        seen: list[object] = []
        for raw in records:
            record = judge(raw.value, raw.key, partition, PARTITIONS, clock)
            assert isinstance(record, Event | Watermark | Activation), record
            clock.advance(record)
            seen.append(record)
        assert isinstance(seen[0], Watermark)
        assert seen[1] == Activation(VERSION)
        events += sum(isinstance(one, Event) for one in seen)
        mine = [one.at_ms for one in seen if isinstance(one, Watermark)]
        assert all(before < behind for before, behind in pairwise(mine))
        marks = max(marks, len(mine))
    assert events == 600
    assert marks >= 3  # before the warm-up, before day 0, and before a day behind that


def test_more_events_go_on_where_the_log_ends() -> None:
    whole = [message for message in toy().log(500) if message[1] is not None]
    short = [message for message in toy().log(300) if message[1] is not None]
    assert [*short, *toy().more(300, 200)] == whole


def test_a_member_is_fed_without_a_broker_and_scores_with_the_published_ranker(tmp_path: Path) -> None:
    found, home, store = toy(), Home(tmp_path), MemoryStore()
    bench_home(home, found.world)
    ranker = Versions(home.versions).get(VERSION).ranker
    assert ranker is not None
    assert len(ranker.shows) == len(found.world.catalogue.shows)
    feed = Feed(Member(home, store, PARTITIONS, None), store)
    feed.messages(list(found.log(300)))
    positions = [store.claim(partition).meta for partition in range(PARTITIONS)]
    assert sum(meta.offset for meta in positions if meta) == sum(1 for _ in found.log(300))
    assert {meta.version for meta in positions if meta} == {VERSION}
    assert not store.outbox(0, 1)
    assert not store.outbox(1, 1)


def test_a_contender_that_dies_is_told_in_one_line_with_what_it_said_last(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"'raw' ended early.*KeyError.*raw\.log"), contender("raw", {}, tmp_path):
        pass


def test_a_contender_that_hangs_is_ended_and_its_log_says_where_it_stood(tmp_path: Path) -> None:
    nowhere = {"messages": str(tmp_path / "pipe")}
    os.mkfifo(tmp_path / "pipe")  # whoever opens it to read waits for a writer
    with pytest.raises(InfrastructureError, match="took too long"), contender("send", nowhere, tmp_path, limit_s=6):
        pass
    assert "stream_send.py" in (tmp_path / "send.log").read_text()


def test_without_a_lock_file_there_is_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_env, "REQUIREMENTS", tmp_path)
    with pytest.raises(InfrastructureError, match=r"Quix Streams cannot be.*quix\.txt is not there.*Run it in a checkout"):
        own_python("quix", "Quix Streams", tmp_path)


def test_an_install_that_fails_is_told_and_made_again_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_text('#!/bin/sh\necho "$1" >> "$0.calls"\n[ "$1" = venv ] && exit 0\necho \'error: away\' >&2\nexit 1\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:/usr/bin:/bin")
    for _ in range(2):
        with pytest.raises(InfrastructureError, match="could not be installed: error: away"):
            own_python("quix", "Quix Streams", tmp_path / "bench")
    assert uv.with_name("uv.calls").read_text().split() == ["venv", "pip"] * 2


@pytest.mark.stack
def test_a_tiny_run_measures_every_row_but_the_one_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "own_python", away)
    said: list[str] = []
    rows = {row.name: row for row in bench_stream(load_settings(home=tmp_path), TINY, said.append)}
    assert list(rows)[: len(NAMES)] == NAMES
    assert all(row.met is None for row in rows.values())
    assert {name for name in NAMES if math.isnan(rows[name].value)} <= {"vs_quix", "two_members", "freshness_p99_ms"}
    assert rows["events_per_cpu_s"].value > 0
    assert 0 < rows["state_bytes_median"].value < 20_000
    assert document("stream", list(rows.values()), {})["rows"][2]["baseline"].startswith("not measured: Quix Streams could not")
    assert any("Quix Streams is not measured" in line for line in said)
