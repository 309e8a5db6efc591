"""The measurement of the monitor: the same rows at every size, and stopped where what was judged is not what was drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

import lab.bench.monitor
from batch.listens import REQUEST
from contract.errors import CannotJudge
from contract.settings import Settings
from lab.bench.monitor import Size, bench_monitor
from lab.bench.monitor_tables import ALONE, DIFFERENT, MOVED, write_night
from monitoring.compare import align, mismatches
from monitoring.frames import read_rows

TINY = Size(3_000, 1_000, rounds=1, claim=False)


def test_the_rows_of_both_paths_differ_as_they_say(tmp_path: Path) -> None:
    batch, live = (read_rows(folder) for folder in write_night(tmp_path, 20_000))
    pair = align(batch, live, REQUEST)
    assert set(mismatches(pair)) == set(MOVED)
    assert mismatches(pair)["user_vector"] == pytest.approx(DIFFERENT * 20_000, rel=0.2)
    assert len(pair.missing) + len(pair.extra) == pytest.approx(2 * ALONE * 20_000, rel=0.5)


def test_a_night_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    said: list[str] = []
    rows = bench_monitor(Settings(home=tmp_path), TINY, said.append)
    assert [row.name for row in rows] == ["million_s", "million_gb", "ten_thousand_s", "million_processor_s"]
    assert all(row.met is None for row in rows)
    assert 0.1 < rows[1].value < 6
    assert any("measure" in line for line in said)


def test_another_outcome_than_the_rows_ask_for_stops_the_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lab.bench.monitor.EXPECTED, "parity", "pass")
    with pytest.raises(CannotJudge, match="judged wrongly"):
        bench_monitor(Settings(home=tmp_path), TINY, lambda _: None)
