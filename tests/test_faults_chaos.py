"""The chaos run in short: faults of every kind over three members, and in the end all is as if nothing had happened."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from pathlib import Path

import pytest

from contract.records import PartitionClock, Rejection, judge
from lab.chaos import SHORT, Outcome, run
from lab.chaos.__main__ import told
from lab.chaos.calm import _partition, _published
from lab.chaos.faults import WEIGHTS, drawn
from lab.chaos.log import DAYS, messages
from streaming.store import MemoryStore
from tests.test_stores import write

PARTITIONS = 4


@pytest.mark.stack
def test_after_faults_of_every_kind_all_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    outcome = run(dataclasses.replace(SHORT, events=4_000, faults=14), tmp_path)
    assert outcome.wrong == []
    assert set(outcome.faults) == set(WEIGHTS)
    assert min(outcome.rows, outcome.dead_letters) > 0
    assert outcome.snapshots == SHORT.partitions * (DAYS + 1)
    assert "All is as if nothing had happened." in told(outcome)


def test_a_seed_draws_the_same_faults_and_the_same_log_again() -> None:
    draws = [drawn(random.Random(seed), 30) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert Counter(draws[0]).keys() == WEIGHTS.keys()
    logs = [messages(seed, 50, 5, PARTITIONS) for seed in (1, 1, 2)]
    assert logs[0] == logs[1] != logs[2]


def test_the_log_has_good_records_and_bad_ones_and_ends_with_a_midnight() -> None:
    clocks = [PartitionClock() for _ in range(PARTITIONS)]
    reasons: Counter[str] = Counter()
    log = messages(1, 2_000, 50, PARTITIONS)
    for partition, key, value in log:
        record = judge(value, key, partition, PARTITIONS, clocks[partition])
        reasons[record.reason if isinstance(record, Rejection) else type(record).__name__] += 1
        clocks[partition].advance(record)
    assert reasons["Event"] > 1_900
    assert reasons["Watermark"] == PARTITIONS * (DAYS + 1)
    assert min(reasons["not-json"], reasons["too-late"]) > 0
    assert all(key is None for _, key, _ in log[-PARTITIONS:])


def test_what_is_wrong_is_told() -> None:
    faults, wrong = Counter({"a member is killed": 2}), ["dead-letters: 1 lost"]
    said = told(Outcome(records=3, faults=faults, wrong=wrong, ended=["Ended. Why."]))
    assert "2 faults over 3 records" in said
    assert "WRONG: dead-letters: 1 lost" in said
    assert "A member ended by itself: Ended. Why." in said
    assert "as if nothing" not in said


def test_the_comparison_sees_what_is_lost_what_is_too_much_and_what_differs() -> None:
    assert _published("dead-letters", {(0, b"a"): 2, (0, b"b"): 1}, {(0, b"a"): 1, (0, b"b"): 1}) == []
    assert _published("dead-letters", {(0, b"a"): 1}, {(0, b"a"): 1, (1, b"a"): 1}) == ["dead-letters: 1 lost"]
    assert _published("dead-letters", {(0, b"a"): 1, (0, b"c"): 1}, {(0, b"a"): 1}) == [
        "dead-letters: 1 that should not be there"
    ]
    calm, twice, other = (MemoryStore() for _ in range(3))
    for store, end, state in ((calm, 4, b"s"), (twice, 4, b"s"), (other, 5, b"t")):
        store.commit(0, store.claim(0).epoch, write(0, end, states={"ada": state}, rows={"ada": state}))
    assert _partition(twice, calm, 0, {"ada"}) == []
    wrong = " ".join(_partition(other, calm, 0, {"ada"}))
    assert all(what in wrong for what in ("position", "states", "rows"))
    assert "items" not in wrong
