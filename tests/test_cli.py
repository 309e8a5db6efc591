"""The command line: a wrong call is one line on standard error and exit code 2; ``--json`` is one document, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from contract.catalogue import Catalogue
from contract.home import Home
from contract.skew import Skew
from contract.versions import INITIAL, Versions
from lab.case_file import SIGNATURES, case_file, signature
from lab.skews import catalogue
from lab.world import World
from tests.saying import SCENARIO, Said, Say

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "demo", "run", "simulate", "import", "night", "versions", "stream", "archive", "monitor", "skews", "serve", "doctor", "stack",
    "rollback", "listener", "recommend", "compact", "bench", "inject", "heal", "calibrate",
)  # fmt: skip


def in_a_process(*arguments: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "lab.cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return Said(done.returncode, done.stdout, done.stderr)


def test_help_lists_every_command() -> None:
    said = in_a_process("--help")
    assert (said.code, said.err) == (0, "")
    listed = [line.split()[0] for line in said.out.partition("Commands:\n")[2].splitlines() if line.strip()]
    assert set(COMMANDS) <= set(listed)


def test_an_unknown_skew_is_refused_with_the_nearest_one() -> None:
    line = in_a_process("skews", "show", "podcast-resume:0.5").refusal
    why = "neither in the catalogue nor a file that ends in .py"
    assert line == f"There is no skew 'podcast-resume:0.5': {why}. Write 'podcast-resume', or see 'skewlab skews list'."


@pytest.mark.parametrize("command", ["night", "monitor"])
@pytest.mark.parametrize("date", ["tomorrow", "2026-02-30", "08.01.2026", ""])
def test_what_is_no_date_is_refused_with_an_example(say: Say, command: str, date: str) -> None:
    assert say(command, "--as-of", date).refusal == f"'{date}' is no date. Write it as 2026-01-08 or 2026-01-08T00:00:00Z."


def test_a_night_of_an_empty_lake_says_so(say: Say) -> None:
    assert "The lake is empty:" in say("night", "--as-of", "2026-01-08").refusal


def test_a_night_that_was_not_run_cannot_be_judged(say: Say, tmp_path: Path) -> None:
    judge = ("monitor", "--json", "--home", str(tmp_path), "--as-of")
    line = say(*judge, "2026-01-08").refusal
    assert line == f"There is no night in {tmp_path}: nothing was published there. Name another home with --home."
    Versions(Home(tmp_path).versions).publish_initial(World(7, 10).catalogue)
    line = say(*judge, "2026-01-08").refusal
    assert line == "There is no night of 2026-01-08T00:00:00Z. Run 'skewlab night --as-of 2026-01-08'."
    line = say(*judge, "2026-01-08T12:00:00Z").refusal
    assert line == "2026-01-08T12:00:00Z is no midnight: a night ends at one. Name a date."


@pytest.mark.parametrize("command", ["archive", "stream"])
def test_where_no_stack_runs_the_way_to_start_one_is_told(say: Say, command: str) -> None:
    assert say(command).refusal == "No stack runs in this home. Start one: 'skewlab stack up'."


SCENARIOS = {
    "no YAML": ("days: [", "s.yml cannot be read"),
    "empty": ("", "s.yml is no mapping of keys"),
    "unknown key": ("colour: red", "'colour' of scenario .*s.yml is wrong"),
    "wrong type": ("days: many", "'days' of scenario .* valid integer"),
    "no days": ("days: 0", "'days' of scenario .* greater than or equal to 1"),
    "unknown stack": ("stack: cloud", "'stack' of scenario .* 'embedded', 'external', 'compose' or 'replay'"),
    "one skew for a list": ("skews: podcast-resume", "'skews' of scenario"),
    "half a source": ("source: {mapping: there.yml}", "'source.path' of scenario .* Field required"),
    "no log folder": ("source: {path: there}", "there is no log folder"),
    "no such mapping": ("source: {path: ., mapping: there.yml}", "There is no mapping there.yml"),
    "variable": ("source: {path: '${SKEWLAB_TEST_UNSET}/x', mapping: m.yml}", "variable SKEWLAB_TEST_UNSET.* it is not set"),
}


@pytest.mark.parametrize("wrong", SCENARIOS)
def test_a_wrong_scenario_is_refused(say: Say, tmp_path: Path, wrong: str) -> None:
    text, says = SCENARIOS[wrong]
    (tmp_path / "s.yml").write_text(text)
    assert re.search(says, say("run", "s.yml").refusal)


@pytest.mark.parametrize(
    ("place", "says"), [("there.yml", "There is no scenario there.yml"), (".", "The scenario . cannot be read")]
)
def test_a_scenario_that_is_no_file_is_refused(say: Say, place: str, says: str) -> None:
    assert says in say("run", place).refusal


@pytest.mark.parametrize(("flag", "value"), [("--days", 0), ("--days", 401), ("--users", 0), ("--seed", -1)])
def test_a_flag_is_held_to_the_same_limits_as_the_scenario(say: Say, tmp_path: Path, flag: str, value: object) -> None:
    (tmp_path / "s.yml").write_text(SCENARIO)
    assert f"'{flag[2:]}' of scenario toy is wrong" in say("run", "s.yml", flag, value).refusal


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("PARTITIONS", "abc", "valid integer"), ("PARTITIONS", "0", "greater than"), ("STACK", "cloud", "'embedded', 'external'")],
)
def test_a_wrong_variable_is_named(say: Say, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(f"SKEWLAB_{name}", value)
    line = say("versions").refusal
    assert f"SKEWLAB_{name}" in line
    assert says in line


def test_a_simulation_does_not_write_over_a_folder(say: Say, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    line = say("simulate", "--users", 5, "--days", 1, "--out", "out").refusal
    assert line == "out is there already. Name a new folder."


def test_an_import_without_its_mapping_is_refused(say: Say) -> None:
    assert "There is no mapping there.yml" in say("import", "csv", ".", "--mapping", "there.yml", "--out", "out").refusal


def test_where_no_stack_is_kept_the_status_says_so(say: Say) -> None:
    assert say("stack", "status") == Said(0, "No stack is kept in this home\n", "")
    assert say("stack", "status", "--json").document == {"running": False, "kafka": None, "redis": None}


def test_there_may_be_no_stack_to_end(say: Say) -> None:
    assert say("stack", "down") == Said(0, "No stack was kept in this home\n", "")
    assert say("stack", "down", "--json").document == {"ended": False}


def test_a_home_without_a_night_has_no_versions(say: Say) -> None:
    assert say("versions", "--json").document == {"current": INITIAL, "versions": []}


def test_the_home_is_that_of_the_flag_then_of_the_environment(say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Versions(Home(tmp_path / "ours").versions).publish_initial(Catalogue.of([]))
    monkeypatch.setenv("SKEWLAB_HOME", str(tmp_path / "ours"))
    assert [version["version"] for version in say("versions", "--json").document["versions"]] == [INITIAL]
    assert say("versions", "--home", tmp_path / "other", "--json").document["versions"] == []


def test_a_simulation_says_what_it_wrote(say: Say, tmp_path: Path) -> None:
    document = say("simulate", "--users", 5, "--days", 2, "--out", "one", "--json").document
    assert document["out"] == "one"
    assert msgspec.json.decode((tmp_path / "one" / "import.json").read_bytes())["events"] == document["events"] > 0
    assert (
        say("simulate", "--users", 5, "--days", 2, "--out", "two").out == f"{document['events']} events of 5 listeners in two\n"
    )


def test_the_list_of_skews_is_grouped_by_what_sees_them(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = say("skews", "list")
    assert (said.code, said.err) == (0, "")
    found = say("skews", "list", "--json").document["skews"]
    assert sorted(one["id"] for one in found) == sorted(catalogue())
    blocks = [block.splitlines() for block in said.out.strip().split("\n\n")]
    assert [heading for heading, *_ in blocks] == [
        heading for name, heading in SIGNATURES.items() if any(one["signature"] == name for one in found)
    ]
    for heading, *lines in blocks:
        mine = [[one["id"], one["side"], one["group"], one["title"]] for one in found if SIGNATURES[one["signature"]] == heading]
        assert [line.split(maxsplit=3) for line in lines] == mine


def seen(by: Sequence[str]) -> type[Skew]:
    return type("Seen", (Skew,), {"id": "seen", "seen_by": tuple(by)})


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (("parity", "operations"), "operations"),
        (("ranking", "distribution", "parity"), "distribution"),
        (("parity", "ranking"), "rows"),
        (("ranking",), "rows"),
        (("training",), "training"),
        ((), "control"),
    ],
)
def test_the_signature_of_a_skew_is_the_first_suite_that_sees_it(by: tuple[str, ...], name: str) -> None:
    assert signature(seen(by)) == name


def test_a_skew_is_shown_with_all_that_is_known_of_it(say: Say) -> None:
    document, skew = say("skews", "show", "utc-day-boundary", "--json").document, catalogue()["utc-day-boundary"]
    assert (document["id"], document["hooks"]) == ("utc-day-boundary", ["settings"])
    for name in ("title", "story", "side", "parameter", "fix", "group", "evidence"):
        assert document[name] == getattr(skew, name)
    for name in ("value_name", "unit", "harmless", "worst", "spread"):
        assert document[name] == getattr(skew, name)
    for name in ("moves", "seen_by", "sources", "tries"):
        assert document[name] == list(getattr(skew, name))


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_case_file_is_as_wide_as_the_terminal(say: Say, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for name in catalogue():
        lines = say("skews", "show", name).out.splitlines()
        assert max(map(len, lines)) <= width
    assert max(map(len, say("skews", "list").out.splitlines())) <= width


class Shifted(Skew):
    id, title, group, evidence = "shifted", "Hours are shifted", "time", "B"
    moves, seen_by, fix = ("plays_24h",), ("parity", "ranking"), "Shift them back"
    value_name, unit, worst, spread = "shift", "h", 3, 0.05
    tries = tuple(range(-10, 11))
    parameter = "hours, up to 3"

    def clock(self, as_of_ms: int) -> int:
        return as_of_ms


def test_a_case_file_says_it_in_words() -> None:
    said = "\n".join(" ".join(line.split()) for line in case_file(Shifted)[1])
    assert said.splitlines() == [
        "shifted · Hours are shifted",
        "",
        "Planted in the live path: the instant that it answers for",
        "Moves plays_24h",
        "Seen by parity and ranking; not by operations, distribution",
        "Knob severity, 0 to 1: hours, up to 3",
        "shift: 0 h at severity 0, 3 h at severity 1",
        "hits 5 % of the listeners at severity 1, picked by chance",
        "as an explanation tried with 21 values from -10 to 10 h",
        "Evidence told at second hand",
        "Fix Shift them back",
    ]
    assert "Seen by no suite, and none should" in " ".join(" ".join(case_file(seen(()))[1]).split())
