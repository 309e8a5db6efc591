"""A small failure, whole: on the real Kafka and Redis and in one process; the same numbers, the right verdicts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.home import Home
from tests.saying import Say

pytestmark = [pytest.mark.spark, pytest.mark.stack]
SCENARIO = "name: small\nseed: 5\nusers: 80\ndays: 3\nhistory_days: 28\nstep_events: 100\nskews: [podcast-resume@1]\n"
DAYS = ("2026-01-06", "2026-01-07", "2026-01-08")


@dataclass(frozen=True)
class Ran:
    """A run: what it printed, how it ended, where it lies."""

    document: dict[str, Any]
    text: str
    code: int
    errors: str
    home: Home


def ran(folder: Path, stack: str) -> Ran:
    (folder / "small.yml").write_text(SCENARIO)
    command = [sys.executable, "-m", "lab.cli", "run", "small.yml", "--home", stack, "--stack", stack, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    return Ran(json.loads(done.stdout), done.stdout, done.returncode, done.stderr, Home(folder / stack))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def embedded(folder: Path) -> Ran:
    return ran(folder, "embedded")


@pytest.fixture(scope="module")
def replayed(folder: Path) -> Ran:
    return ran(folder, "replay")


def suites(night: dict[str, Any]) -> tuple[str, ...]:
    return tuple(night[name] for name in ("operations", "parity", "ranking"))


def test_the_failure_is_seen_from_its_first_night_on_and_operations_stay_green(embedded: Ran) -> None:
    assert [suites(night) for night in embedded.document["nights"]] == [
        ("pass", "pass", "pass"),
        ("pass", "fail", "fail"),
        ("pass", "fail", "fail"),
    ]
    assert embedded.document["nights"][0]["exact"] is True
    assert embedded.code == 1


def test_one_incident_names_onset_features_and_the_suspect(embedded: Ran) -> None:
    (incident,) = embedded.document["incidents"]
    assert incident["onset"] == f"{DAYS[1]}T00:00:00Z"
    assert incident["features"] == ["podcast_completion_28d", "show_completion_28d"]
    told = {"skew": "podcast-resume", "parameter": "100% of listeners", "explained": 1.0, "runner_up": None}
    assert incident["suspect"] == told
    assert incident["damage"]["ndcg_lost"] > 0


def test_a_night_has_the_promised_keys(embedded: Ran) -> None:
    promised = {"night", "operations", "distribution", "parity", "ranking", "ndcg", "ndcg_clean", "ndcg_affected"}
    assert all(promised | {"ndcg_affected_clean"} <= set(night) for night in embedded.document["nights"])
    clean, hit = embedded.document["nights"][:2]
    assert (clean["ndcg"], clean["ndcg_affected"]) == (clean["ndcg_clean"], None)
    assert hit["ndcg_affected"] < hit["ndcg_affected_clean"]


def test_the_same_seed_gives_the_same_document_whatever_the_stack(embedded: Ran, replayed: Ran) -> None:
    assert embedded.text == replayed.text


def frames(home: Home, part: str) -> pa.Table:
    files = sorted((home.root / part).rglob("*.parquet"))
    keys = [("user_id", "ascending"), ("as_of_ms", "ascending"), ("cut", "ascending")]
    return pa.concat_tables([pq.read_table(path, partitioning=None) for path in files]).sort_by(keys)


@pytest.mark.parametrize("part", ["snapshots", "served", "versions"])
def test_frames_are_equal_whatever_the_stack(embedded: Ran, replayed: Ran, part: str) -> None:
    if part == "versions":
        live, alone = (frames(Home(ran_.home.versions / day / "rows"), "") for ran_ in (embedded, replayed) for day in DAYS[:1])
    else:
        live, alone = frames(embedded.home, part), frames(replayed.home, part)
    assert len(live) > 50
    assert live.equals(alone)


def test_progress_goes_to_standard_error_and_nothing_strange_with_it(embedded: Ran) -> None:
    lines = embedded.errors.splitlines()
    nights = [line for line in lines if line.lstrip()[:1].isdigit()]
    assert len(nights) == 3
    assert all(line.startswith(("day ", "  …")) for line in lines if line not in nights)


@pytest.mark.parametrize(("day", "code"), [(DAYS[0], 0), (DAYS[2], 1), ("2026-02-01", 2)])
def test_the_monitor_alone_ends_with_0_1_or_2(embedded: Ran, say: Say, day: str, code: int) -> None:
    said = say("monitor", "--as-of", day, "--home", embedded.home.root, "--json")
    assert said.code == code
    if code < 2:
        verdict = json.loads(said.out)
        assert verdict["parity"] == ("pass", "fail")[code]
    else:
        assert said.out == ""
        assert "There is no night of 2026-02-01" in said.err


def test_a_night_whose_snapshot_is_gone_cannot_be_judged(replayed: Ran, say: Say) -> None:
    for path in (replayed.home.snapshots / DAYS[1]).iterdir():
        path.unlink()
    said = say("monitor", "--as-of", DAYS[1], "--home", replayed.home.root)
    assert (said.code, said.out) == (2, "")
    assert "left no snapshot" in said.err


def test_the_report_stands_alone_and_links_to_the_data_docs(embedded: Ran) -> None:
    page = (embedded.home.reports / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://creativecommons", "").replace("http://purl", "")
    assert "<script" not in page
    link = page.split('<a href="')[1].split('"')[0]
    assert (embedded.home.reports / link).exists()
    assert all(text in page for text in ("podcast-resume@1", "2026-01-07", "show_completion_28d", "<svg"))


def test_an_incident_file_lies_beside_it_for_people_and_scripts(embedded: Ran) -> None:
    kept = json.loads((embedded.home.incidents / f"{DAYS[1]}.json").read_text())
    assert kept["features"] == embedded.document["incidents"][0]["features"]
    assert "show_completion_28d" in (embedded.home.incidents / f"{DAYS[1]}.md").read_text()
