"""How a skew is asked for, and what a student's own file may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.errors import UsageError
from contract.features import FeatureConstants
from contract.hooks import through
from contract.skew import Skew
from lab.skews import Request, catalogue, find

SEED = 7
OWN = """
from contract.skew import PerEvent

class Own(PerEvent):
    id = "own"

    def each(self, event):
        return None if event.device == "phone" and self.severity == 1 else event
"""


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("podcast-resume", Request("podcast-resume", 1, 0)),
        ("podcast-resume:0.5", Request("podcast-resume", 0.5, 0)),
        ("podcast-resume@7", Request("podcast-resume", 1, 7)),
        (" podcast-resume:0.25@7 ", Request("podcast-resume", 0.25, 7)),
        ("own/skew.py:0.5@3", Request("own/skew.py", 0.5, 3)),
    ],
)
def test_a_skew_is_asked_for_with_a_severity_and_a_day(text: str, request_: Request) -> None:
    assert Request.parse(text) == request_


@pytest.mark.parametrize("text", ["", "@3", "podcast-resume@", "podcast-resume@x", "podcast-resume@-1"])
def test_what_asks_for_no_skew_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no skew. Write ID\[:severity\]\[@DAY\], like podcast-resume:0.5@7"):
        Request.parse(text)


def test_a_severity_above_1_is_refused() -> None:
    with pytest.raises(UsageError, match=r"severity 1\.5 of 'podcast-resume' is out of range"):
        Request.parse("podcast-resume:1.5").make(SEED)


def test_an_unknown_skew_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=f"no skew 'nothing'.*{', '.join(catalogue())}"):
        Request.parse("nothing").make(SEED)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("class Own(", "does not run: SyntaxError"),
        ("import no_such_module_at_all", "does not run: ModuleNotFoundError"),
        ("from contract.skew import Skew", "holds 0 skews. Write exactly one"),
        (OWN + OWN.replace("Own", "Other").replace("own", "other"), "holds 2 skews. Write exactly one"),
        (None, "There is no file"),
    ],
)
def test_a_file_that_does_not_hold_one_skew_is_refused_in_one_line(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "own.py").write_text(text)
    with pytest.raises(UsageError, match=says) as caught:
        find(str(tmp_path / "own.py"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "from contract.skew import Skew\nclass Own(Skew):\n    title = 'no id'\n",
        "raise ValueError('two\\nlines')",
        "import sys\nsys.exit(3)",
    ],
)
def test_a_file_that_is_no_skew_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(UsageError) as caught:
        find(str(tmp_path / "own.py"))
    assert "\n" not in str(caught.value)


def test_a_students_file_may_hold_a_dataclass(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom contract.skew import Skew\n"
        "@dataclass\nclass Knob:\n    x: int = 0\nclass Own(Skew):\n    id = 'own'\n"
    )
    assert find(str(tmp_path / "own.py")).id == "own"


@pytest.mark.parametrize("severity", ["-1", "two", "0.5.5", ""])
def test_a_severity_that_is_no_number_from_0_to_1_is_named(severity: str) -> None:
    with pytest.raises(UsageError, match="severity"):
        Request.parse(f"podcast-resume:{severity}").make(7)


def test_a_path_may_hold_an_at_sign() -> None:
    assert Request.parse("me@work/own.py:0.5@3") == Request("me@work/own.py", 0.5, 3)


FAILS = """
from contract.skew import Skew

class Own(Skew):
    id = "own"

    def {hook}(self, seen, *more):
        {does}
"""


def own(folder: Path, hook: str, does: str) -> Skew:
    (folder / "own.py").write_text(FAILS.format(hook=hook, does=does))
    return find(str(folder / "own.py"))(1.0, SEED)


@pytest.mark.parametrize("hook", ["settings", "keys", "batch_settings", "world"])
def test_a_students_skew_that_fails_is_told_in_one_line_with_its_own(tmp_path: Path, hook: str) -> None:
    with pytest.raises(UsageError) as caught:
        through([own(tmp_path, hook, "return seen.nothing")], hook, FeatureConstants())
    told = str(caught.value)
    assert told.startswith(
        f"The skew 'own' failed in '{hook}': AttributeError: 'FeatureConstants' object has no attribute 'nothing'"
    )
    assert told.endswith("(own.py, line 8). Mend the skew.")


@pytest.mark.parametrize("error", ["raise ValueError('two\\nlines')", "return seen + unknown"])
def test_what_a_students_skew_raises_is_one_line(tmp_path: Path, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        through([own(tmp_path, "clock", error)], "clock", 5)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "does", "kinds"),
    [
        (FeatureConstants(), "pass", "NoneType, not FeatureConstants"),
        ([1], "return iter(seen)", "list_iterator, not list"),
        (5, "return seen / 2", "float, not int"),
    ],
)
def test_what_is_given_back_must_be_of_the_same_kind(tmp_path: Path, value: object, does: str, kinds: str) -> None:
    with pytest.raises(UsageError, match=f"it gave back {kinds}. Return what the hook is given, changed"):
        through([own(tmp_path, "state", does)], "state", value)


def test_any_sequence_and_any_whole_number_will_do(tmp_path: Path) -> None:
    assert through([own(tmp_path, "transport", "return tuple(seen)")], "transport", [1]) == (1,)
    assert through([own(tmp_path, "clock", "import numpy\n        return numpy.int64(seen)")], "clock", 5) == 5
    assert through([], "clock", 5) == 5


def test_a_skew_of_the_catalogue_fails_as_any_code_does() -> None:
    with pytest.raises(AttributeError):
        through([catalogue()["podcast-resume"](1.0, SEED)], "nowhere", 5)
