"""Both paths give every listener of the toy world the row that was worked out by hand (``tests.toy_world``)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.listens import REQUEST, Job
from batch.night import active_version
from batch.rows import rows_as_of, rows_for_spine
from contract.features import NAMES
from contract.home import Home
from contract.lake import Lake
from contract.versions import Version
from streaming.step import Step
from tests.toy_world import LISTENERS, PARTITIONS, toy_home, toy_log
from tests.toy_world.words import BY_THE_NIGHT, NEXT_NIGHT, NIGHT, Row
from tests.toylake import ToyLog, as_dicts

Found = Mapping[str, object]
"""A row that a path computed."""


class Case(NamedTuple):
    """One row that was worked out; None where there must not be one."""

    user: str
    as_of_ms: int
    kind: str
    row: Row | None

    def __str__(self) -> str:
        return f"{self.user}-{self.kind}"


NIGHT_NAMES = {NIGHT: "night", NEXT_NIGHT: "next-night"}
MIDNIGHTS = 31
"""The watermarks of the log: of the midnights from day -29 to day 1."""
NIGHTS = [Case(one.name, at, NIGHT_NAMES[at], row) for one in LISTENERS for at, row in one.nights.items()]
SERVED = [Case(one.name, at, "served", row) for one in LISTENERS for at, row in one.served.items()]


@dataclass(frozen=True)
class World:
    """The log, the lake that the archiver made of it, and what is known of it beforehand."""

    home: Home
    versions: Mapping[str, Version]
    log: ToyLog
    lake: Lake
    rejected: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Rows:
    """What one path says: rows by (listener, instant)."""

    nights: Mapping[tuple[str, int], Found]
    served: Mapping[tuple[str, int], Found]

    def of(self, case: Case) -> Found | None:
        return (self.served if case.kind == "served" else self.nights).get((case.user, case.as_of_ms))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home, versions = toy_home(tmp_path_factory.mktemp("toy"))
    log, rejected = toy_log()
    return World(home, versions, log, log.archive(home, commits=3), rejected)


def consumed(world: World, size: int) -> dict[int, list[Step]]:
    """Let the live path do all steps of each partition, each of at most ``size`` records."""
    return {p: world.log.consume(world.log.path(world.home, p), size=size) for p in range(PARTITIONS)}


def live_rows(world: World, size: int) -> Rows:
    """Sort what the live path computed into snapshots and served rows; of two served as of one instant the later stays."""
    steps = [step for partition in consumed(world, size).values() for step in partition if step.rows is not None]
    snapshots = [step.rows.to_arrow() for step in steps if step.snapshot_ms is not None]
    served = [step.rows.to_arrow() for step in steps if step.snapshot_ms is None]
    return Rows(as_dicts(snapshots), as_dicts(served))


@pytest.fixture(scope="module")
def steps(world: World) -> dict[int, list[Step]]:
    """The live path's steps by partition, of up to seven records each."""
    return consumed(world, size=7)


@pytest.fixture(scope="module")
def live(world: World) -> Rows:
    """What the live path says where each record is a step of its own."""
    return live_rows(world, size=1)


@pytest.fixture(scope="module")
def batch(spark: SparkSession, world: World, live: Rows) -> Rows:
    """What the batch path says of the two nights, and of the served rows that were worked out, at the cuts they name."""
    job = Job(spark, world.lake)
    nights = [_night(job, world, at) for at in NIGHT_NAMES]
    asked = [live.served[case.user, case.as_of_ms] for case in SERVED]
    spine = pa.table({name: [row[name] for row in asked] for name in REQUEST})
    return Rows(as_dicts(nights), as_dicts([rows_for_spine(job, world.versions[BY_THE_NIGHT], spine)]))


def _night(job: Job, world: World, as_of_ms: int) -> pa.Table:
    cuts = world.lake.cut(as_of_ms)
    return rows_as_of(job, world.versions[active_version(world.lake, cuts, as_of_ms)], as_of_ms, cuts)


# -- the rows


@pytest.mark.parametrize("case", [*NIGHTS, *SERVED], ids=str)
def test_the_live_path_gives_what_was_worked_out(live: Rows, case: Case) -> None:
    assert differences(live.of(case), case.row) == {}


@pytest.mark.spark
@pytest.mark.parametrize("case", [*NIGHTS, *SERVED], ids=str)
def test_the_batch_path_gives_what_was_worked_out(batch: Rows, case: Case) -> None:
    assert differences(batch.of(case), case.row) == {}


@pytest.mark.parametrize("size", [2, 7, 1000])
def test_nights_do_not_depend_on_where_steps_end(world: World, size: int) -> None:
    rows = live_rows(world, size)
    assert {str(case): found for case in NIGHTS if (found := differences(rows.of(case), case.row))} == {}


def test_every_feature_of_the_registry_was_worked_out() -> None:
    assert {field.name for field in fields(Row)} == set(NAMES)


# -- whose rows, with which version, from which offsets


@pytest.mark.spark
@pytest.mark.parametrize("night", NIGHT_NAMES, ids=NIGHT_NAMES.get)
def test_both_paths_have_rows_of_the_same_listeners(live: Rows, batch: Rows, night: int) -> None:
    found = [{user for user, as_of in rows.nights if as_of == night} for rows in (live, batch)]
    assert found[0] == found[1]
    absent = {"stuck-in-the-pipe", "two-days-ahead"} if night == NIGHT else {"last-heard-28-days-ago", "two-days-ahead"}
    assert absent.isdisjoint(found[0])


@pytest.mark.spark
@pytest.mark.parametrize(("night", "version"), [(NIGHT, "initial"), (NEXT_NIGHT, "2026-03-02")], ids=NIGHT_NAMES.get)
def test_rows_name_the_version_that_was_active_at_their_cut(
    world: World, live: Rows, batch: Rows, night: int, version: str
) -> None:
    cuts = world.lake.cut(night)
    for rows in (live, batch):
        of_night = [row for (_, as_of), row in rows.nights.items() if as_of == night]
        assert {row["version"] for row in of_night} == {version}
        assert all(row["cut"] == cuts[row["partition"]] for row in of_night)


def test_served_rows_name_the_version_of_their_instant_and_the_offset_behind_their_click(world: World, live: Rows) -> None:
    rows = [live.served[case.user, case.as_of_ms] for case in SERVED]
    assert {row["version"] for row in rows} == {"2026-03-02"}
    first = live.served["stuck-in-the-pipe", NIGHT]  # behind the watermark: the activation, the watermark again, the click
    assert first["cut"] == world.lake.cut(NIGHT)[first["partition"]] + 4


def test_a_watermark_that_is_repeated_makes_no_second_snapshot(world: World, steps: dict[int, list[Step]]) -> None:
    cuts = world.lake.cut(NIGHT)
    for partition, of_partition in steps.items():
        nights = {step.snapshot_ms: step for step in snapshots_of(of_partition)}
        assert len(nights) == len(snapshots_of(of_partition)) == MIDNIGHTS
        assert nights[NIGHT].first == cuts[partition]  # the first of the two


def test_an_idle_partition_has_its_nights_and_nobody_in_them(world: World, steps: dict[int, list[Step]]) -> None:
    idle = [partition for partition, records in world.log.records.items() if all(record.key is None for record in records)]
    assert idle
    for partition in idle:
        assert [len(step.rows) for step in snapshots_of(steps[partition])] == [0] * MIDNIGHTS


def snapshots_of(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.snapshot_ms is not None]


# -- the records that count nowhere


def test_the_live_path_sends_dead_letters_of_the_bad_records_alone(world: World, steps: dict[int, list[Step]]) -> None:
    dead = {
        (partition, letter.record.offset): letter.reason
        for partition, of_partition in steps.items()
        for step in of_partition
        for letter in step.dead
    }
    assert dead == world.rejected


def test_the_lake_keeps_the_bad_records_alone_apart(world: World) -> None:
    tables = [pq.read_table(path) for path in (world.home.lake / "rejected").glob("*.parquet")]
    rows = pa.concat_tables(tables).to_pylist()
    assert {(row["kafka_partition"], row["kafka_offset"]): row["reason"] for row in rows} == world.rejected


# -- equality


def differences(found: Found | None, worked_out: Row | None) -> dict[str, tuple[object, object]]:
    """Return, by feature, what was found and what was worked out, where they differ; floats may by 1e-9 of themselves."""
    if found is None or worked_out is None:
        return {} if found is worked_out else {"row": (found, worked_out)}
    pairs = {name: (found[name], getattr(worked_out, name)) for name in NAMES}
    return {name: pair for name, pair in pairs.items() if not same(*pair)}


def same(found: object, worked_out: object) -> bool:
    """Compare values and their types, within lists and maps too."""
    if type(found) is not type(worked_out):
        return False
    if isinstance(worked_out, float):
        return math.isclose(found, worked_out, rel_tol=1e-9)
    if isinstance(worked_out, Sequence) and not isinstance(worked_out, str):
        return len(found) == len(worked_out) and all(map(same, found, worked_out))
    if isinstance(worked_out, Mapping):
        return found.keys() == worked_out.keys() and all(same(found[key], value) for key, value in worked_out.items())
    return found == worked_out
