"""How a skew is asked for, and what a student's own file may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contract.errors import UsageError
from contract.event import Events
from contract.features import FeatureConstants
from contract.hooks import HOOKS, through
from contract.skew import Skew
from lab.skews import SIGHTS, Request, _faults, catalogue, find
from monitoring.suites import SUITES
from tests.toylake import event

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
        ("podcast-resume@2-5", Request("podcast-resume", 1, 2, 5)),
        ("own-skew.py:0.5@0-1", Request("own-skew.py", 0.5, 0, 1)),
    ],
)
def test_a_skew_is_asked_for_with_a_severity_and_days(text: str, request_: Request) -> None:
    assert Request.parse(text) == request_


@pytest.mark.parametrize(
    "text", ["", "@3", "podcast-resume@", "podcast-resume@x", "podcast-resume@-1", "podcast-resume@2-", "podcast-resume@2-5-7"]
)
def test_what_asks_for_no_skew_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no skew. Write ID\[:severity\]\[@DAY\[-DAY\]\], like podcast-resume:0.5@2-5"):
        Request.parse(text)


@pytest.mark.parametrize("days", ["5-2", "5-5", "0-0"])
def test_a_skew_ends_behind_its_begin(days: str) -> None:
    with pytest.raises(UsageError, match=rf"ends on day {days[-1]}: it begins on day {days[0]}. Let it end later"):
        Request.parse(f"podcast-resume@{days}")


def test_a_severity_above_1_is_refused() -> None:
    with pytest.raises(UsageError, match=r"severity 1\.5 of 'podcast-resume' is out of range"):
        Request.parse("podcast-resume:1.5").make(SEED)


def test_an_unknown_skew_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"no skew 'nothing'.* See 'skewlab skews list'"):
        Request.parse("nothing").make(SEED)
    with pytest.raises(UsageError, match=r"no skew 'Podcast-Resum'.* Write 'podcast-resume', or see"):
        Request.parse("Podcast-Resum").make(SEED)


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


BODIES = {
    "misspelt": ("def feature(self, columns, window): return columns", "nobody looks at 'feature'. Write 'features'"),
    "a fact misspelt": ("move = ('plays_7d',)", "nobody looks at 'move'. Write 'moves'"),
    "beside a right one": (
        "def events(self, events, partition): return events\n    def clock(self, as_of_ms): return as_of_ms",
        "nobody looks at 'events'. Write 'event'; where it is a helper of your own, begin its name with _",
    ),
    "each without PerEvent": ("def each(self, event): return event", "only PerEvent calls 'each'. Derive it from"),
    "no name": ("id = 5", "its id is 5. Write small letters, digits and -, like 'my-skew'"),
    "a path for a name": ("id = '../x y'", "its id is '../x y'. Write small letters"),
    "a name that is taken": ("id = 'podcast-resume'", "the catalogue has a 'podcast-resume' already. Give it an id of its own"),
    "no text": ("title = None", "its title is no text. Write title = '...'"),
    "unknown side": ("side = 'live'", "its side is 'live'. Write one of streaming, batch, world"),
    "the other side": (
        "side = 'batch'\n    def clock(self, as_of_ms): return as_of_ms",
        "its side is 'batch', where nobody calls clock. Say the side",
    ),
    "unknown feature": ("moves = ['plays_8d']", "its moves names 'plays_8d', which is no feature. Write 'plays_7d'"),
    "unknown suite": ("seen_by = ('everybody',)", "its seen_by names 'everybody', which is no suite. There are operations, "),
    "one text": ("moves = ('plays_7d')", r'its moves is one text. Write a list of them, as in moves = \["plays_7d"\]'),
    "unknown grade": ("evidence = 'D'", "its evidence names 'D', which is no grade of evidence. There are A, B, C"),
    "unknown group": ("group = 'tim'", "its group names 'tim', which is no group. Write 'time'"),
}


@pytest.mark.parametrize("body", BODIES)
def test_what_cannot_act_or_says_unknown_things_is_refused_in_one_line(tmp_path: Path, body: str) -> None:
    text, says = BODIES[body]
    hook = "" if "def " in text else "\n    def clock(self, as_of_ms): return as_of_ms"
    (tmp_path / "own.py").write_text(f"from contract.skew import Skew\nclass Own(Skew):\n    id = 'own'\n    {text}{hook}\n")
    with pytest.raises(UsageError, match=says) as caught:
        find(str(tmp_path / "own.py"))
    assert str(caught.value).startswith(f"The skew Own in {tmp_path / 'own.py'} is wrong: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("side", "hooks"), [("streaming", "holds, transport, event, "), ("world", "world")])
def test_a_skew_without_a_hook_may_be_looked_at_but_not_act(tmp_path: Path, side: str, hooks: str) -> None:
    (tmp_path / "own.py").write_text(f"from contract.skew import Skew\nclass Own(Skew):\n    id, side = 'own', '{side}'\n")
    own = str(tmp_path / "own.py")
    assert find(own).id == "own"
    with pytest.raises(UsageError, match=rf"'own' would change nothing: it overrides no hook. Override one of {hooks}"):
        Request.parse(own).make(SEED)


def test_a_helper_that_looks_like_no_hook_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN + "\n    def is_a_phone(self, event):\n        return True\n    _feature = 3\n")
    assert find(str(tmp_path / "own.py")).id == "own"


@pytest.mark.parametrize(
    ("arguments", "does"), [("self", "pass"), ("self, severity, seed", "pass"), ("self, *_", "raise ValueError('two\\nlines')")]
)
def test_a_skew_that_cannot_be_made_is_told_in_one_line(tmp_path: Path, arguments: str, does: str) -> None:
    (tmp_path / "own.py").write_text(f"{OWN}\n    def __init__({arguments}):\n        {does}\n")
    with pytest.raises(UsageError, match="The skew 'own' cannot be made: ") as caught:
        Request.parse(str(tmp_path / "own.py")).make(SEED)
    assert "\n" not in str(caught.value)


def test_the_catalogue_holds_itself_to_the_same(tmp_path: Path) -> None:
    assert [(name, list(_faults(skew))) for name, skew in catalogue().items() if list(_faults(skew))] == []
    assert set(SUITES) | {"training"} == set(SIGHTS)


@pytest.mark.parametrize("severity", ["-1", "two", "0.5.5", ""])
def test_a_severity_that_is_no_number_from_0_to_1_is_named(severity: str) -> None:
    with pytest.raises(UsageError, match="severity"):
        Request.parse(f"podcast-resume:{severity}").make(7)


def test_a_path_may_hold_an_at_sign() -> None:
    assert Request.parse("me@work/own.py:0.5@3") == Request("me@work/own.py", 0.5, 3)


FAILS = """
from contract.skew import Skew

class Own(Skew):
    id, side = "own", "{side}"

    def {hook}(self, seen, *more):
        {does}
"""


def own(folder: Path, hook: str, does: str) -> Skew:
    side = next(side for side, hooks in HOOKS.items() if hook in hooks)
    (folder / "own.py").write_text(FAILS.format(side=side, hook=hook, does=does))
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


COLUMNS: dict[str, np.ndarray] = {"plays_7d": np.array([1, 2]), "skip_rate_28d": np.array([0.5, np.nan])}


@pytest.mark.parametrize(
    ("does", "wrong"),
    [
        ("return {}", "it gave back other columns: see 'plays_7d', 'skip_rate_28d'"),
        ("return {**seen, 'mine': seen['plays_7d']}", "it gave back other columns: see 'mine'"),
        ("return {**seen, 'plays_7d': seen['plays_7d'] * 1.5}", "its column 'plays_7d' is of float64, not of int64"),
        ("return {**seen, 'plays_7d': list(seen['plays_7d'])}", "its column 'plays_7d' is list, not ndarray"),
        ("return {**seen, 'plays_7d': seen['plays_7d'][:1]}", "its column 'plays_7d' has 1 values for 2 rows"),
    ],
)
def test_columns_come_back_as_many_as_long_and_of_the_same_kind(tmp_path: Path, does: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=f"failed in 'features': {wrong}. Return what the hook is given, changed"):
        through([own(tmp_path, "features", does)], "features", dict(COLUMNS))


@pytest.mark.parametrize(
    ("does", "wrong"),
    [
        ("return seen.replace(ms_played=seen.ms_played / 2)", "its column 'ms_played' is of float64, not of int64"),
        ("return seen.replace(ms_played=seen.ms_played[:1])", "its column 'ms_played' has 1 values for 2 rows"),
    ],
)
def test_events_come_back_with_whole_columns(tmp_path: Path, does: str, wrong: str) -> None:
    batch = Events.of([event("ann", "song-a", 1), event("bob", "song-a", 2)], [0, 1])
    with pytest.raises(UsageError, match=f"failed in 'event': {wrong}"):
        through([own(tmp_path, "event", does)], "event", batch)


@pytest.mark.parametrize(
    ("does", "wrong"),
    [
        ("return 'x'", "TypeError: it gave back str, neither an Event nor None. Mend what it takes or what it gives back."),
        ("return event.nothing", r"AttributeError: 'Event' object has no attribute 'nothing' \(own.py, line 5\). Mend the skew."),
    ],
)
def test_what_is_wrong_with_each_is_told_of_each(tmp_path: Path, does: str, wrong: str) -> None:
    lines = [
        "from contract.skew import PerEvent",
        "class Own(PerEvent):",
        "    id = 'own'",
        "    def each(self, event):",
        f"        {does}",
    ]
    (tmp_path / "own.py").write_text("\n".join(lines))
    batch = Events.of([event("ann", "song-a", 1)], [0])
    with pytest.raises(UsageError, match=f"The skew 'own' failed in 'each': {wrong}"):
        through([find(str(tmp_path / "own.py"))(1.0, SEED)], "event", batch, 0)


def test_events_may_be_dropped_and_names_may_be_texts(tmp_path: Path) -> None:
    batch = Events.of([event("ann", "song-a", 1), event("bob", "song-a", 2)], [0, 1])
    assert len(through([own(tmp_path, "event", "return seen.take([1])")], "event", batch)) == 1
    names = through([own(tmp_path, "keys", "return seen.astype(str)")], "keys", np.array(["ann", "bob"], object))
    assert names.tolist() == ["ann", "bob"]


def test_any_sequence_and_any_whole_number_will_do(tmp_path: Path) -> None:
    assert through([own(tmp_path, "transport", "return tuple(seen)")], "transport", [1]) == (1,)
    assert through([own(tmp_path, "clock", "import numpy\n        return numpy.int64(seen)")], "clock", 5) == 5
    assert through([], "clock", 5) == 5


def test_a_skew_of_the_catalogue_fails_as_any_code_does() -> None:
    with pytest.raises(AttributeError):
        through([catalogue()["podcast-resume"](1.0, SEED)], "nowhere", 5)
