"""The examples, run as a user runs them: a small scenario, and a student's own skew in it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lab.scenario import read_scenario
from lab.skews import catalogue, find

ROOT = Path(__file__).parent.parent
OWN = "examples/my_skew.py"
NIGHTS = 5


def skewlab(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)


@dataclass(frozen=True)
class Ran:
    """What a run of the small scenario printed, and how it ended."""

    document: dict[str, Any]
    code: int

    def of(self, suite: str) -> list[str]:
        return [night[suite] for night in self.document["nights"]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("home")
    done = skewlab("run", "examples/small.yml", "--skew", f"{OWN}@2-4", "--home", home, "--json")
    return Ran(msgspec.json.decode(done.stdout), done.returncode)


@pytest.mark.spark
def test_the_students_skew_is_seen_on_its_first_night_and_no_more_once_it_is_healed(ran: Ran) -> None:
    assert ran.of("parity") == ["pass", "pass", "fail", "fail", "pass"]
    assert ran.of("exact") == [True, True, False, False, True]
    assert ran.code == 0, "the last night is good"


@pytest.mark.spark
def test_it_moves_what_it_says_and_is_seen_by_whom_it_says(ran: Ran) -> None:
    (incident,) = ran.document["incidents"]
    assert (incident["features"], incident["onset"][:10]) == (["phone_share_28d"], "2026-01-08")
    assert ran.of("operations") == ["pass"] * NIGHTS


def test_a_students_skew_has_a_case_file() -> None:
    done = skewlab("skews", "show", OWN, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = msgspec.json.decode(done.stdout)
    assert (document["id"], document["hooks"], document["moves"]) == ("speakers-are-phones", ["event"], ["phone_share_28d"])
    assert document["id"] not in catalogue()


def test_the_template_names_all_facts_that_somebody_has_to_fill_in() -> None:
    skew = find(str(ROOT / OWN))
    assert all([skew.title, skew.story, skew.parameter, skew.fix, skew.moves, skew.seen_by])
    assert {"title", "story", "side", "moves", "seen_by", "parameter", "fix", "each"} <= set(vars(skew))


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yml")), ids=lambda path: path.name)
def test_every_scenario_of_the_examples_is_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not path.name.endswith("-mapping.yml"):
        monkeypatch.setenv("SKEWLAB_DATA", "data")
        assert read_scenario(path).name == path.stem
