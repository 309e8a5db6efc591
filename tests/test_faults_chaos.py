"""The chaos run in short: faults of every kind over three members, and in the end all is as if nothing had happened."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.listens import REQUEST, Job
from contract.features import ROW_SCHEMA
from contract.home import Home
from contract.keys import SONGS
from contract.lake import Lake
from contract.records import PartitionClock, Rejection, judge
from contract.skew import RawRecord
from contract.versions import INITIAL, Versions
from lab.chaos import SHORT, Outcome, run
from lab.chaos.__main__ import told
from lab.chaos.calm import _partition, _published, consume_calmly
from lab.chaos.faults import WEIGHTS, drawn
from lab.chaos.lakes import differences as lake_differences
from lab.chaos.log import ACTIVE_FROM_MS, MIDNIGHTS, messages
from lab.chaos.parity import WHICH, differences, judge_parity
from lab.chaos.versions import NAMES, publish
from monitoring.compare import align
from streaming.codec import tables_of
from streaming.log import MemoryLog
from streaming.store import MemoryStore, Rankings
from tests.test_stores import write

PARTITIONS = 4
SMALL = dataclasses.replace(SHORT, events=1_500, listeners=60, partitions=PARTITIONS)


@pytest.mark.spark
@pytest.mark.stack
def test_after_faults_of_every_kind_all_is_as_if_nothing_had_happened(spark: SparkSession, tmp_path: Path) -> None:
    outcome = run(dataclasses.replace(SHORT, events=4_000, faults=14), tmp_path)
    assert outcome.wrong == []
    assert set(outcome.faults) == set(WEIGHTS)
    assert min(outcome.rows, outcome.rankings, outcome.dead_letters) > 0
    assert outcome.archived > 4_000
    assert outcome.snapshots == SHORT.partitions * len(MIDNIGHTS)
    assert outcome.batch.keys() == set(product(WHICH, NAMES))
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
    assert reasons["Watermark"] == PARTITIONS * len(MIDNIGHTS)
    assert reasons["Activation"] == PARTITIONS * len(ACTIVE_FROM_MS)
    assert min(reasons["not-json"], reasons["too-late"]) > 0
    assert all(key is None for _, key, _ in log[-PARTITIONS:])


def test_what_is_wrong_is_told() -> None:
    faults, wrong = Counter({"a member is killed": 2}), ["dead-letters: 1 lost"]
    batch = Counter({("rows at midnights", "first"): 5})
    said = told(Outcome(records=3, faults=faults, wrong=wrong, ended=["A member ended by itself: Ended. Why."], batch=batch))
    assert "2 faults over 3 records" in said
    assert "WRONG: dead-letters: 1 lost" in said
    assert "A member ended by itself: Ended. Why." in said
    assert "Compared: 5 rows at midnights of version first, with what the batch path computes." in said
    assert "as if nothing" not in said


def test_the_comparison_sees_what_is_lost_what_is_too_much_and_what_differs() -> None:
    assert _published("dead-letters", {(0, b"a"): 2, (0, b"b"): 1}, {(0, b"a"): 1, (0, b"b"): 1}) == []
    assert _published("dead-letters", {(0, b"a"): 1}, {(0, b"a"): 1, (1, b"a"): 1}) == ["dead-letters: 1 lost"]
    assert _published("dead-letters", {(0, b"a"): 1, (0, b"c"): 1}, {(0, b"a"): 1}) == [
        "dead-letters: 1 that should not be there"
    ]
    calm, twice, other, reranked = (MemoryStore() for _ in range(4))
    left = ((calm, 4, b"s", "a"), (twice, 4, b"s", "a"), (other, 5, b"t", "a"), (reranked, 4, b"s", "b"))
    for store, end, state, song in left:
        ranked = {SONGS: Rankings(["ada"], [song], np.array([[0]]), np.array([[0.5]]))}
        store.commit(0, store.claim(0).epoch, write(0, end, states={"ada": state}, rows={"ada": state}, rankings=ranked))
    assert _partition(twice, calm, 0, {"ada"}) == []
    wrong = " ".join(_partition(other, calm, 0, {"ada"}))
    assert all(what in wrong for what in ("position", "states", "rows"))
    assert "items" not in wrong
    assert _partition(reranked, calm, 0, {"ada"}) == ["partition 0: rankings are not those of the calm run"]


# -- the batch path, the lake, the versions


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, MemoryStore]:
    """A home in which nothing happened; tests work on copies of it."""
    home, store = Home(tmp_path_factory.mktemp("calm")), MemoryStore()
    consume_calmly(home, SMALL, MemoryLog(PARTITIONS), store, logged())
    return home, store


@pytest.fixture
def copy(calm: tuple[Home, MemoryStore], tmp_path: Path) -> Home:
    shutil.copytree(calm[0].root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


def logged() -> dict[int, list[RawRecord]]:
    found: dict[int, list[RawRecord]] = {partition: [] for partition in range(PARTITIONS)}
    for partition, key, value in messages(SMALL.seed, SMALL.events, SMALL.listeners, PARTITIONS):
        found[partition].append(RawRecord(len(found[partition]), key, value))
    return found


def changed(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a file again that was changed."""
    pq.write_table(change(pq.read_table(path, partitioning=None)), path)


def more(name: str, rows: int = 1) -> Callable[[pa.Table], pa.Table]:
    """Return what adds one to a column's value in the first rows."""

    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(name)
        column = table.schema.field(at)
        added = pa.array(np.arange(len(table)) < rows).cast(pa.int8()).cast(column.type)
        return table.set_column(at, column, pc.add(table.column(at), added))

    return change


@pytest.mark.spark
def test_the_batch_path_tells_what_was_changed_in_the_live_rows_and_nothing_else(spark: SparkSession, copy: Home) -> None:
    nights = sorted(path for path in copy.snapshots.iterdir() if any(len(pq.read_table(file)) for file in path.iterdir()))
    files = [sorted(night.glob("*.parquet"))[0] for night in nights]
    changed(files[0], more("plays_7d"))
    changed(files[1], lambda table: table.slice(1))
    changed(files[-1], more("decayed_plays"))
    for served in copy.served.iterdir():
        changed(served, more("recency_hours", 1_000))
    outcome = Outcome()
    judge_parity(outcome, SMALL, Job(spark, Lake(copy.lake)), copy)
    assert sorted(outcome.wrong) == sorted(
        [
            f"midnight {nights[0].name}T00:00:00Z: 1 with another plays_7d",
            f"midnight {nights[1].name}T00:00:00Z: 1 that only the batch path has",
            f"midnight {nights[-1].name}T00:00:00Z: 1 with another decayed_plays",
            *(f"served rows: {outcome.batch['served rows', name]} with another recency_hours" for name in NAMES),
        ]
    )
    assert outcome.batch.keys() == set(product(WHICH, NAMES))
    assert min(outcome.batch.values()) > 20


def row(**changes: object) -> pa.Table:
    plain = {"user_id": "ada", "as_of_ms": 1, "partition": 0, "cut": 3, "version": "first", "plays_7d": 2}
    ranked = {"shows": ["show-1", "show-2", "show-3"], "scores": [0.5, 0.25, 0.25 - 1e-10]}
    return pa.Table.from_pylist([{**plain, **ranked, **changes}], schema=ROW_SCHEMA)


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ([row()], []),
        ([row(shows=["show-1", "show-3", "show-2"], scores=[0.5, 0.25, 0.25])], []),
        ([row(plays_7d=3)], ["with another plays_7d"]),
        ([row(version=INITIAL)], ["with another version"]),
        ([row(shows=["show-2", "show-1", "show-3"])], ["with other shows"]),
        ([row(shows=None, scores=None)], ["with other shows"]),
        ([row(scores=[0.5, 0.25, 0.2])], ["with other scores"]),
        ([], ["that only the batch path has"]),
        ([row(), row()], ["that only the live path has"]),
        ([row(user_id="bob")], ["that only the batch path has", "that only the live path has"]),
    ],
)
def test_each_kind_of_difference_from_the_batch_path_has_its_words(live: Sequence[pa.Table], expected: Sequence[str]) -> None:
    table = pa.concat_tables([ROW_SCHEMA.empty_table(), *live])
    assert differences(align(row(), table, REQUEST)) == dict.fromkeys(expected, 1)


def test_the_log_is_long_enough_for_both_forms_of_a_state(calm: tuple[Home, MemoryStore]) -> None:
    _, store = calm
    states = [tables_of(state) for p in range(PARTITIONS) for state in store.claim(p).states.values()]
    assert all(any(len(table[0]) for table in tables) for tables in zip(*states, strict=True))


@pytest.mark.parametrize(
    ("pattern", "change", "what"),
    [
        ("lake/events/*/*.parquet", lambda table: pa.concat_tables([table, table.slice(0, 1)]), "events"),
        ("lake/rejected/*.parquet", lambda table: table.slice(1), "bad records"),
        ("served/*.parquet", lambda table: table.slice(1), "served rows"),
    ],
    ids=["an event", "a bad record", "a served row"],
)
def test_a_record_that_the_lake_has_twice_or_not_at_all_is_told(
    calm: tuple[Home, MemoryStore], copy: Home, pattern: str, change: Callable[[pa.Table], pa.Table], what: str
) -> None:
    assert lake_differences(copy, calm[0]) == []
    changed(sorted(copy.root.glob(pattern))[0], change)
    assert lake_differences(copy, calm[0]) == [f"the lake: {what} are not those of the calm run"]


def test_each_version_is_another_one_and_a_seed_makes_the_same_again(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "again", "other")]
    for home, seed in zip(homes, (1, 1, 2), strict=True):
        publish(home, seed, SMALL.listeners)
    first, second = ([Versions(home.versions).get(name) for home in homes] for name in ACTIVE_FROM_MS)
    for one, again, other in (first, second):
        assert one.ranker == again.ranker != other.ranker
        assert one.popular == again.popular != other.popular
        assert one.preferences == again.preferences != other.preferences
    assert first[0].ranker != second[0].ranker
    assert first[0].catalogue.genres != second[0].catalogue.genres
    assert first[0].item_vectors.items != second[0].item_vectors.items
