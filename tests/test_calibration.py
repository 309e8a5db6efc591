"""Limits from clean nights: what the estimator gives by hand and over many worlds, its floor, and where it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contract.errors import CannotJudge, InfrastructureError
from contract.home import Home
from monitoring.calibration import NUMBERS, Calibration, calibrate, calibration_for, write_calibration
from monitoring.limits import DEFAULTS

ZERO = dict.fromkeys(NUMBERS, 0.0)
LISTENERS = 500


def calibrated(nights: list[dict[str, float]], target: float = 0.01, version: str = "2026-01-08") -> Calibration:
    named = {f"night {i}": {**ZERO, **night} for i, night in enumerate(nights)}
    return calibrate(version, named, 1, LISTENERS, target)


def test_where_every_night_is_0_the_first_listener_is_an_alarm_and_one_who_changes_his_bin_is_none() -> None:
    limits = calibrated([{}] * 20).limits
    assert not any(limits.beyond.values())
    assert (limits.psi, limits.js, limits.linf) == (1 / LISTENERS,) * 3
    assert limits.overlap == limits.rbo == 1 - 0.1 / LISTENERS
    assert limits.score_difference == 1e-9
    assert limits.segment == 0.0


def test_without_a_calibration_the_first_listener_is_an_alarm_too() -> None:
    assert DEFAULTS.of("plays_7d") == 0.0


def test_a_limit_is_the_largest_of_the_nights_times_what_a_night_exceeds_the_others_by() -> None:
    # left out in turn, 0.06 is 1.5 times the largest of the others; a target of 0.2 takes the fourth of four ratios
    found = calibrated([{"linf": 0.03}, {"linf": 0.04}, {"linf": 0.06}, {"linf": 0.02}], target=0.2)
    assert found.shown
    assert found.factor == pytest.approx(1.5)
    assert found.limits.linf == pytest.approx(0.09)
    assert calibrated([{"linf": 0.03}, {"linf": 0.04}, {"linf": 0.06}, {"linf": 0.02}], target=0.5).factor == 1.0


def test_too_few_nights_for_the_target_are_said_to_be() -> None:
    assert not calibrated([{}] * 98, target=0.01).shown
    assert calibrated([{}] * 99, target=0.01).shown


@pytest.mark.parametrize("tail", ["normal", "heavy"])
def test_the_rate_of_false_alarms_over_many_worlds_is_the_target_whatever_the_tail_and_however_many_numbers(tail: str) -> None:
    target, alarms, worlds = 0.1, 0, 400
    rng = np.random.default_rng(0)
    for _ in range(worlds):
        drawn = np.abs(rng.normal(size=(31, 6))) if tail == "normal" else rng.pareto(2.0, (31, 6))
        names = NUMBERS[:6]
        nights = [dict(zip(names, 0.01 * row, strict=True)) for row in drawn]
        limits = calibrated(nights[:30], target).limits
        alarms += any(nights[30][name] > limits.of(name) for name in names)
    assert 0.3 * target <= alarms / worlds <= 1.4 * target


def test_without_a_clean_night_there_is_nothing_to_calibrate_with() -> None:
    with pytest.raises(CannotJudge, match="no clean night"):
        calibrated([])


def test_a_night_is_judged_by_the_newest_calibration_that_is_not_newer_or_else_by_the_oldest(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert calibration_for(home, "2026-01-08") is None
    for version in ("initial", "2026-01-05", "2026-01-09"):
        write_calibration(home, calibrated([{}], version=version))
    found = {night: calibration_for(home, night) for night in ("initial", "2026-01-04", "2026-01-08", "2026-01-09", "2026-02-01")}
    assert {night: one.version for night, one in found.items() if one} == {
        "initial": "initial", "2026-01-04": "initial", "2026-01-08": "2026-01-05",
        "2026-01-09": "2026-01-09", "2026-02-01": "2026-01-09",
    }  # fmt: skip


def test_a_calibration_is_read_as_it_was_written_and_a_broken_one_is_told(tmp_path: Path) -> None:
    found = calibrated([{"psi": 0.01}])
    path = write_calibration(Home(tmp_path), found)
    assert calibration_for(Home(tmp_path), found.version) == found
    path.write_text("{")
    with pytest.raises(InfrastructureError, match="cannot be read"):
        calibration_for(Home(tmp_path), found.version)
