"""Listening that nobody here made: the SiTunes study through Kafka, both paths and the monitor, on every night of its 77."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.spark,
    pytest.mark.stack,
    pytest.mark.skipif("SKEWLAB_DATA" not in os.environ, reason="SKEWLAB_DATA does not name the folder of the SiTunes study"),
]
ROOT = Path(__file__).parent.parent
ONSET = 21


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The nights of a run in which days begin at another midnight on the live path from a day on."""
    home = tmp_path_factory.mktemp("situnes")
    command = [sys.executable, "-m", "lab.cli", "run", str(ROOT / "examples" / "situnes.yml"), "--home", str(home), "--json"]
    done = subprocess.run(
        [*command, "--skew", f"utc-day-boundary@{ONSET}"], cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["nights"]
    return found


def before(night: dict[str, Any]) -> bool:
    return bool(night["night"] <= f"2021-07-{ONSET:02d}")  # the study begins on 2021-06-30: day 21 ends on 07-22


def test_it_has_77_nights(nights: list[dict[str, Any]]) -> None:
    assert len(nights) == 77


def test_parity_is_exact_on_every_night_before_the_skew(nights: list[dict[str, Any]]) -> None:
    clean = [night for night in nights if before(night)]
    assert len(clean) > 15
    assert all(night["exact"] and night["parity"] == "pass" and night["operations"] == "pass" for night in clean)


def test_the_skew_fails_the_two_features_that_know_calendar_days_and_no_other(nights: list[dict[str, Any]]) -> None:
    failed = [night for night in nights if night["parity"] == "fail"]
    assert not any(before(night) for night in failed)
    assert {name for night in failed for name in night["alarmed"]} == {"plays_yesterday", "active_days_28d"}
    assert len(failed) > 20


def test_without_podcasts_ranking_is_not_judged(nights: list[dict[str, Any]]) -> None:
    assert {night["ranking"] for night in nights} == {"unjudged"}
