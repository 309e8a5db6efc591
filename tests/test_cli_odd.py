"""Odd calls of the command line: one line on standard error, exit code 2, nothing done."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.settings import load_settings
from lab import demo
from tests.saying import SCENARIO, Say

CALLS = [
    ("nonsense",), ("run",), ("run", "--nonsense", "s.yml"), ("skews", "nonsense"), ("skews", "show"), ("night",),
    ("import", "xls", "."), ("run", "s.yml", "--days", "x"), ("simulate", "--users", 0, "--days", 1, "--out", "o"),
    ("simulate", "--users", 5, "--days", 0, "--out", "o"), ("serve", "--port", 0),
    ("rollback",), ("listener",), ("recommend",), ("recommend", "ann", "--from", "nowhere"),
    ("listener", "ann", "--privacy-first", "x"),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_call_is_refused_in_one_line(say: Say, tmp_path: Path, call: tuple[object, ...]) -> None:
    (tmp_path / "s.yml").write_text(SCENARIO)
    assert say(*call).refusal


@pytest.mark.parametrize("skew", ["nothing", "podcast-resume:2", "podcast-resume@2", "podcast-resume@x"])
def test_a_skew_that_cannot_act_is_refused_in_one_line(say: Say, tmp_path: Path, skew: str) -> None:
    (tmp_path / "s.yml").write_text(SCENARIO)
    assert say("run", "s.yml", "--skew", skew).refusal


@pytest.mark.parametrize("text", ["- a\n- b", "just text", "42"])
def test_a_scenario_of_another_type_is_not_called_empty(say: Say, tmp_path: Path, text: str) -> None:
    (tmp_path / "s.yml").write_text(text)
    assert "empty" not in say("run", "s.yml").refusal


@pytest.mark.parametrize("content", [bytes(range(256)), b"1: 2", b"days: 2026-13-45"])
def test_an_unreadable_scenario_is_refused_in_one_line(say: Say, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.yml").write_bytes(content)
    assert say("run", "s.yml").refusal


def test_a_comment_asks_for_no_variable(say: Say, tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text("# set ${SKEWLAB_TEST_UNSET} first\ndays: 0\n")
    assert "days" in say("run", "s.yml").refusal


@pytest.mark.parametrize(
    "call",
    [
        ("versions",), ("rollback", "initial"), ("listener", "ann", "--explore", "on"), ("recommend", "ann"),
        ("night", "--as-of", "2026-01-08"), ("monitor", "--as-of", "2026-01-08"), ("stack", "status"),
        ("stack", "down"), ("stack", "up"), ("run", "s.yml"), ("doctor",),
    ],
)  # fmt: skip
def test_a_home_that_is_a_file_is_refused(say: Say, tmp_path: Path, call: tuple[object, ...]) -> None:
    (tmp_path / "s.yml").write_text(SCENARIO)
    (tmp_path / "home").write_text("x")
    assert "home" in say(*call, "--home", "home").refusal


def test_a_simulation_below_a_file_is_refused(say: Say, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert say("simulate", "--users", 5, "--days", 1, "--out", "file/out").refusal


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999"])
def test_a_date_at_the_end_of_time_is_refused_in_one_line(say: Say, date: str) -> None:
    assert say("monitor", "--as-of", date).refusal


def test_an_interruption_ends_with_130(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lab.stack.embedded.down", interrupt)
    assert say("stack", "down").code == 130


@pytest.mark.parametrize("call", [("skews", "list"), ("skews", "show", "benign-lag")])
def test_home_is_a_flag_of_every_command(say: Say, call: tuple[object, ...]) -> None:
    assert say(*call, "--home", "h").code == 0


def test_the_environment_wins_over_the_scenario_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text("name: toy\n")
    seen: list[str] = []
    monkeypatch.setattr("lab.run.run_scenario", lambda plan, settings, *_: seen.append(settings.stack))
    monkeypatch.setattr("lab.job.open_job", lambda *_, brief: None)
    monkeypatch.setattr(demo, "_report", lambda *_: Path())
    monkeypatch.setenv("SKEWLAB_STACK", "replay")
    demo.run_file(tmp_path / "s.yml", load_settings(), {})
    assert seen == ["replay"]


def test_a_students_print_does_not_spoil_the_document(say: Say, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("print('hello')\nfrom contract.skew import Skew\nclass Own(Skew):\n    id = 'own'\n")
    assert '"own"' in say("skews", "show", "own.py", "--json").out
    assert say("skews", "show", "own.py", "--json").out.startswith("{")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("classroom", "--seed", "x"), "--seed"),
        (("classroom", "--scale", "inf"), "--scale"),
        (("import", "csv", "."), "See 'skewlab import csv --help'"),
        (("skews", "show"), "See 'skewlab skews show --help'"),
    ],
)
def test_a_wrong_call_names_the_option_and_its_own_help(say: Say, call: tuple[object, ...], says: str) -> None:
    assert says in say(*call).refusal


def test_a_skew_without_an_id_is_told_as_that(say: Say, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("from contract.skew import Skew\nclass Own(Skew):\n    title = 't'\n")
    assert "The skew Own in own.py has no 'id'" in say("skews", "show", "own.py").refusal
