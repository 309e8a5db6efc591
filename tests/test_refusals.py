"""``skewlab monitor`` on nights that cannot be judged, each refused with its reason; and on those that are findings after all."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.listens import Job
from batch.night import run_night
from contract.errors import CannotJudge
from contract.features import ROW_SCHEMA
from contract.home import Home, snapshot_path
from contract.lake import Lake
from contract.settings import Settings
from contract.windows import iso_date
from lab.calibrate import Replays, calibrate_home
from tests.saying import Said, Say

pytestmark = pytest.mark.spark
Tables = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def judged_home(spark: SparkSession, lake: tuple[Home, int], tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, int]:
    """A home with one night, and the live path's snapshot of it."""
    found, midnight = lake
    home = Home(tmp_path_factory.mktemp("judged") / "home")
    shutil.copytree(found.root, home.root, symlinks=True)
    cuts = run_night(Job(spark, Lake(home.lake)), home, midnight).manifest.cuts
    rows = Replays(home, Lake(home.lake), [midnight], 100).rows(())[midnight]
    for partition, cut in cuts.items():
        path = snapshot_path(home, midnight, partition, cut)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows.filter(pc.equal(rows.column("partition"), partition)), path)
    return home, midnight


class Night:
    """One home of a test's own, which it may spoil, and the command that judges it."""

    def __init__(self, home: Home, midnight: int, say: Say) -> None:
        self.home, self.midnight, self._say = home, midnight, say

    def live(self, change: Tables) -> None:
        """Change the live path's rows of one partition."""
        self._rewrite(min(self.snapshots.iterdir()), change)

    def batch(self, change: Tables) -> None:
        """Change the batch path's rows."""
        (file,) = (self.home.versions / iso_date(self.midnight) / "rows").glob("*.parquet")
        self._rewrite(file, change)

    @property
    def snapshots(self) -> Path:
        """Where the night's snapshots lie."""
        return self.home.snapshots / iso_date(self.midnight)

    def judge(self) -> Said:
        """Run the command."""
        return self._say("monitor", "--as-of", iso_date(self.midnight), "--home", self.home.root, "--json")

    def refusal(self) -> str:
        """Run the command, which must refuse with exit code 2 and no document; return its line."""
        said = self.judge()
        assert (said.code, said.out) == (2, "")
        assert not list((self.home.reports / "nights").glob("*")), "no verdict is kept of what was not judged"
        return said.err.splitlines()[-1]

    def verdict(self, code: int) -> dict[str, Any]:
        """Run the command, which must end with this code; return its verdict."""
        said = self.judge()
        assert said.code == code, said.err
        return dict(json.loads(said.out))

    @staticmethod
    def _rewrite(file: Path, change: Tables) -> None:
        pq.write_table(change(pq.read_table(file, partitioning=None)), file)


@pytest.fixture
def night(judged_home: tuple[Home, int], tmp_path: Path, say: Say) -> Night:
    home, midnight = judged_home
    mine = Home(tmp_path / "mine")
    shutil.copytree(home.root, mine.root, symlinks=True)
    return Night(mine, midnight, say)


def with_first(name: str, value: Any) -> Tables:
    """Exchange the first row's value of a column."""

    def change(rows: pa.Table) -> pa.Table:
        values = rows.column(name).to_pylist()
        return _with(rows, name, pa.array([value, *values[1:]], ROW_SCHEMA.field(name).type))

    return change


def _with(rows: pa.Table, name: str, column: Any) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, column)


def test_a_clean_night_passes(night: Night) -> None:
    verdict = night.verdict(0)
    assert verdict["exact"] is True
    assert (verdict["parts"], verdict["by_segment"], verdict["slice"]) == ({"snapshot": {}, "requests": {}}, {}, None)
    assert verdict["rows"]["snapshot"] == {"both": verdict["listeners"], "missing": 0, "extra": 0}


def test_one_wrong_row_of_the_night_is_an_alarm_that_names_it(night: Night) -> None:
    night.live(with_first("plays_7d", 1_000_000))
    verdict = night.verdict(1)
    assert (verdict["parity"], verdict["operations"], verdict["alarmed"]) == ("fail", "pass", ["plays_7d"])
    assert len(verdict["affected"]) == 1
    assert list(verdict["parts"]["snapshot"]) == ["plays_7d"]
    assert verdict["parts"]["requests"] == {}
    groups = verdict["by_segment"]["plays_7d"]
    assert groups
    assert all(group["numbers"]["beyond"] == pytest.approx(1 / group["requests"]) for group in groups)


@pytest.mark.parametrize("column", ["plays_7d", "show_completion_28d", "scores", "cut"])
def test_live_rows_without_a_column_are_refused(night: Night, column: str) -> None:
    night.live(lambda rows: rows.drop_columns(column))
    assert f"the column '{column}' is missing" in night.refusal()


def test_live_rows_with_a_column_of_another_type_are_refused(night: Night) -> None:
    night.live(lambda rows: _with(rows, "plays_7d", rows.column("plays_7d").cast(pa.float64())))
    assert "'plays_7d' is double, not int64" in night.refusal()


def test_batch_rows_without_a_column_are_refused(night: Night) -> None:
    night.batch(lambda rows: rows.drop_columns("user_vector"))
    assert "the column 'user_vector' is missing" in night.refusal()


def test_a_listener_whom_the_batch_path_has_twice_is_refused(night: Night) -> None:
    night.batch(lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]))
    assert "The batch path has two rows of one request" in night.refusal()


def test_a_listener_whom_the_live_path_has_twice_is_a_finding(night: Night) -> None:
    night.live(lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]))
    verdict = night.verdict(1)
    assert (verdict["operations"], verdict["parity"]) == ("fail", "fail")
    assert verdict["rows"]["snapshot"]["extra"] == 1


def test_a_snapshot_that_is_no_parquet_is_refused(night: Night) -> None:
    min(night.snapshots.iterdir()).write_bytes(b"PAR1 torn")
    assert "cannot be read" in night.refusal()


def test_what_groups_are_told_by_is_refused_where_it_is_no_parquet(night: Night) -> None:
    night.batch(with_first("plays_7d", 10_000))
    (night.home.versions / iso_date(night.midnight) / "profiles.parquet").write_bytes(b"PAR1 torn")
    assert "profiles.parquet cannot be read" in night.refusal()


def test_a_night_without_a_snapshot_is_refused(night: Night) -> None:
    shutil.rmtree(night.snapshots)
    assert "The live path left no snapshot" in night.refusal()


def test_a_partition_without_its_snapshot_is_a_finding_of_operations(night: Night) -> None:
    min(night.snapshots.iterdir()).unlink()
    verdict = night.verdict(1)
    assert verdict["operations"] == "fail"
    assert verdict["failed"]["operations"] == ["_partitions_behind"]
    assert verdict["rows"]["snapshot"]["missing"] == 0


def test_two_crowds_without_a_common_listener_are_refused(night: Night) -> None:
    for file in night.snapshots.iterdir():
        night._rewrite(file, lambda rows: _with(rows, "user_id", pc.binary_join_element_wise("x", rows.column("user_id"), "-")))
    assert "no listener in common" in night.refusal()


def test_a_lake_that_has_not_reached_the_night_is_refused(night: Night) -> None:
    shutil.rmtree(night.home.lake / "log" / "p00")
    assert "has not reached" in night.refusal()


def test_a_lake_that_is_another_one_than_the_nights_is_refused(night: Night) -> None:
    manifest = night.home.versions / iso_date(night.midnight) / "manifest.json"
    document = json.loads(manifest.read_bytes())
    document["cuts"]["0"] -= 1
    manifest.write_text(json.dumps(document))
    assert "is not the one that the night" in night.refusal()


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("column", ["recency_hours", "skip_rate_28d"])
def test_what_is_no_number_in_the_live_path_is_a_finding_of_operations_and_parity(
    night: Night, column: str, value: float
) -> None:
    night.live(with_first(column, value))
    verdict = night.verdict(1)
    assert (verdict["operations"], verdict["parity"], verdict["alarmed"]) == ("fail", "fail", [column])
    assert "_not_finite" in verdict["failed"]["operations"]


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_is_no_number_in_the_batch_path_is_a_finding_of_parity(night: Night, value: float) -> None:
    night.batch(with_first("recency_hours", value))
    verdict = night.verdict(1)
    assert (verdict["operations"], verdict["parity"], verdict["alarmed"]) == ("pass", "fail", ["recency_hours"])


def test_an_infinity_in_both_paths_agrees_and_is_still_a_finding(night: Night) -> None:
    first = pq.read_table(min(night.snapshots.iterdir())).column("user_id")[0].as_py()

    def endless(rows: pa.Table) -> pa.Table:
        mine = pc.equal(rows.column("user_id"), first)
        return _with(rows, "recency_hours", pc.if_else(mine, math.inf, rows.column("recency_hours")))

    night.live(endless)
    night.batch(endless)
    verdict = night.verdict(1)
    assert (verdict["operations"], verdict["parity"]) == ("fail", "pass")


def test_a_home_is_calibrated_by_its_clean_nights_and_the_monitor_says_so(night: Night) -> None:
    settings = Settings(home=night.home.root, step_events=100)
    document, lines = calibrate_home(settings, nights=5, replays=2, target=0.01, say=lambda _: None)
    name = iso_date(night.midnight)
    assert (document["version"], len(document["nights"]), document["left_out"]) == (name, 1, [])
    assert not any(document["limits"]["beyond"].values()), "late steps and 32-bit floats put nobody beyond tolerance"
    assert document["worst"]["psi"] == 0
    assert document["shown"] is False
    assert any("one in 2" in line for line in lines)
    assert night.verdict(0)["calibration"] == name


def test_a_night_whose_batch_rows_no_clean_path_makes_is_no_clean_night(night: Night) -> None:
    night.batch(with_first("plays_7d", 1_000_000))
    said: list[str] = []
    with pytest.raises(CannotJudge, match="no clean night"):
        calibrate_home(Settings(home=night.home.root, step_events=100), nights=5, replays=1, target=0.01, say=said.append)
    assert "is left out" in said[0]
