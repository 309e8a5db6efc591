"""An archiver that is killed anywhere, or is not alone: each record is in the lake once, and nobody ever reads half a file.

``SKEWLAB_TEST_KILLS`` says how often it is killed at each kind of moment, 8 unless told.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.home import Home
from contract.keys import EVENTS, SERVED
from contract.lake import Lake
from contract.rows import Rows
from lab.stack.embedded import Embedded, open_embedded
from monitoring.night import once, served_rows
from streaming.kafka_log import KafkaLog
from streaming.log import Message
from streaming.outbox import served
from tests.dying import Run, Runner, archiver, runner
from tests.logs import home_of, listeners_of, one_log, written
from tests.saying import Say
from tests.toylake import ToyLog

pytestmark = pytest.mark.stack
PARTITIONS = 2
KILLS = int(os.environ.get("SKEWLAB_TEST_KILLS", "8"))
BEYOND_MS = 1 << 45


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    found = open_embedded(tmp_path_factory.mktemp("stack"), PARTITIONS)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def runs() -> Iterator[Runner]:
    with runner() as found:
        yield found


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Rows]:
    """What the live path served of the log."""
    log, home = logged(), home_of(tmp_path_factory.mktemp("live"))[0]
    steps = [step for p in range(PARTITIONS) for step in log.consume(log.path(home, p))]
    return [step.rows for step in steps if step.rows is not None and step.snapshot_ms is None and len(step.rows)]


@pytest.fixture(scope="module")
def kafka(stack: Embedded, rows: list[Rows]) -> str:
    """A Kafka whose topics hold the log, and the served rows; every fifth entry was sent twice."""
    log = KafkaLog(stack.kafka, PARTITIONS)
    log.append(EVENTS, [(p, r.key, r.value) for p, found in logged().records.items() for r in found if r.value is not None])
    log.append(SERVED, [message for i, one in enumerate(rows) for message in sent(one, times=2 if i % 5 == 0 else 1)])
    log.close()
    return stack.kafka


@pytest.fixture(scope="module")
def undisturbed(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    archiver(home, kafka, PARTITIONS)
    return home


def logged() -> ToyLog:
    return written([one_log(f"archive/{p}", listeners_of(p, PARTITIONS)) for p in range(PARTITIONS)], activated=[20, 30])


def sent(rows: Rows, times: int) -> list[Message]:
    return [(int(rows.partition), None, entry[1:]) for entry in served(rows, 1.0)] * times


def events(home: Home) -> pa.Table:
    """Read the lake; each file has to hold what was committed."""
    lake = Lake(home.lake)
    files = lake.event_files()
    tables = [pq.read_table(lake.folder / file.path, partitioning=None) for file in files]
    assert [len(table) for table in tables] == [file.rows for file in files]
    return in_order(tables)


def rejected(home: Home) -> pa.Table:
    lake = Lake(home.lake)
    commits = [commit for p in lake.partitions() for commit in lake.commits(p) if commit.rejected_file]
    tables = [pq.read_table(lake.folder / str(commit.rejected_file), partitioning=None) for commit in commits]
    assert [len(table) for table in tables] == [commit.rejected for commit in commits]
    return in_order(tables)


def in_order(tables: list[pa.Table]) -> pa.Table | None:
    place = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    return pa.concat_tables(tables).sort_by(place).combine_chunks() if tables else None


def served_of(home: Home) -> pa.Table:
    return served_rows(home.served, -1, BEYOND_MS)


def assert_whole(home: Home) -> None:
    """Whatever a reader finds between two runs is whole, and nothing is in it twice."""
    for table in (events(home), rejected(home)):
        places = zip(table["kafka_partition"].to_pylist(), table["kafka_offset"].to_pylist(), strict=True) if table else ()
        found = list(places)
        assert len(set(found)) == len(found)
    served_of(home)


def assert_same(home: Home, other: Home) -> None:
    """Row by row the same, every cut the same, and nothing lies beside it."""
    for read in (events, rejected, served_of):
        assert len(read(home)) > 5
        assert read(home).to_pylist() == read(other).to_pylist()
    assert marks(Lake(home.lake)) == marks(Lake(other.lake))
    lake = Lake(home.lake)
    named = {path for p in range(PARTITIONS) for c in lake.commits(p) for path in (*(f.path for f in c.files), c.rejected_file)}
    assert {str(path.relative_to(lake.folder)) for path in lake.folder.rglob("*.parquet")} == named - {None}
    assert not [path for path in home.root.rglob("*") if path.name.endswith(".tmp")]


def marks(lake: Lake) -> list[object]:
    """Return what the log says beside its files: ends, cuts, versions, clocks."""
    cuts = {night: lake.cut(night) for night in lake.nights()}
    active = [[lake.active_version(p, cut) for p, cut in found.items()] for found in cuts.values()]
    clocks = [(last.next, last.received_ms, last.watermark_ms) for p in range(PARTITIONS) for last in lake.commits(p)[-1:]]
    return [cuts, active, clocks]


def test_killed_at_any_touch_of_a_file_the_next_run_goes_on(kafka: str, runs: Runner, undisturbed: Home, tmp_path: Path) -> None:
    chance, whole, home = random.Random(5), tmp_path / "whole", tmp_path / "home"
    touches = runs.run(Run("archive", str(whole), kafka, PARTITIONS)).touches
    assert len(Lake(whole / "lake").commits(0)) > 3
    for at in sorted(chance.sample(range(1, touches), KILLS)):
        assert runs.run(Run("archive", str(home), kafka, PARTITIONS, at=at)).killed
        assert_whole(Home(home))
        runs.run(Run("archive", str(home), kafka, PARTITIONS, at=chance.randrange(1, touches)))
        assert_whole(Home(home))
        assert not runs.run(Run("archive", str(home), kafka, PARTITIONS)).killed
        assert_same(Home(home), undisturbed)
        shutil.rmtree(home)


def test_killed_at_any_instant_again_and_again_it_comes_to_its_end(
    kafka: str, runs: Runner, undisturbed: Home, tmp_path: Path
) -> None:
    chance, home = random.Random(7), tmp_path / "home"
    begin = time.monotonic()
    runs.run(Run("archive", str(tmp_path / "whole"), kafka, PARTITIONS))
    seconds, killed = time.monotonic() - begin, 0
    for _ in range(KILLS):
        killed += runs.run(Run("archive", str(home), kafka, PARTITIONS, after_s=chance.uniform(0, seconds))).killed
        assert_whole(Home(home))
    assert killed >= KILLS // 2
    assert not runs.run(Run("archive", str(home), kafka, PARTITIONS)).killed
    assert_same(Home(home), undisturbed)


def test_of_two_archivers_at_once_one_is_refused_and_the_lake_is_whole(
    kafka: str, runs: Runner, undisturbed: Home, tmp_path: Path
) -> None:
    """Each would end its commits elsewhere than the other."""
    home = Home(tmp_path / "home")
    one, other = (Run("archive", str(home.root), kafka, PARTITIONS, records=records) for records in (4, 7))
    with runner() as others, ThreadPoolExecutor(2) as both:
        others.run(Run("archive", str(tmp_path / "first"), kafka, PARTITIONS))  # so that both are ready
        ends = list(both.map(lambda asked: asked[0].run(asked[1]), [(runs, one), (others, other)]))
    assert not any(end.killed for end in ends)
    assert all("another archiver or a compaction" in end.refused for end in ends if end.refused)
    assert [end.refused for end in ends].count("") >= 1
    assert_same(home, undisturbed)


def test_a_second_archiver_is_one_line_and_exit_code_2(
    stack: Embedded, kafka: str, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKEWLAB_KAFKA", kafka)
    monkeypatch.setenv("SKEWLAB_REDIS", stack.redis)
    monkeypatch.setenv("SKEWLAB_PARTITIONS", str(PARTITIONS))
    home = Home(tmp_path / "home")
    with Lake(home.lake).writing():
        refusal = say("archive", "--home", home.root, "--stack", "external").refusal
    assert refusal.startswith(f"Nothing can be written to the lake {home.lake}: another archiver or a compaction")
    assert Lake(home.lake).end(0) == 0
    assert say("archive", "--home", home.root, "--stack", "external", "--json").document["partitions"]["0"] > 50


def test_rows_that_the_relay_sent_twice_are_read_once(undisturbed: Home, rows: list[Rows]) -> None:
    found = served_of(undisturbed)
    first = once(found).sort_by([("partition", "ascending"), ("cut", "ascending"), ("user_id", "ascending")])
    wanted = pa.concat_tables([one.to_arrow() for one in rows]).sort_by(
        [("partition", "ascending"), ("cut", "ascending"), ("user_id", "ascending")]
    )
    assert len(found) > len(first) == len(wanted)
    assert first.to_pylist() == wanted.to_pylist()
