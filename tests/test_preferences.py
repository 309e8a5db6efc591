"""What listeners ask for: kept whole, changed one at a time, known by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UsageError
from contract.home import Home
from contract.lock import locked
from contract.preferences import Preference, WatchedPreferences, change_preference, read_preferences, write_preferences
from tests.saying import Say

ROOT = Path(__file__).parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "preferences.json"


def test_nobody_has_asked_for_anything_at_first(path: Path) -> None:
    assert read_preferences(path) == {}


def test_a_change_leaves_the_other_wishes_and_the_other_listeners_alone(path: Path) -> None:
    change_preference(path, "ann", explore=True)
    change_preference(path, "bob", personalisation=False)
    assert change_preference(path, "ann", privacy_first=True) == Preference(privacy_first=True, explore=True)
    assert read_preferences(path) == {
        "ann": Preference(privacy_first=True, explore=True),
        "bob": Preference(personalisation=False),
    }


def test_whoever_is_back_at_the_defaults_leaves_no_trace(path: Path) -> None:
    change_preference(path, "ann", explore=True)
    change_preference(path, "ann", explore=False)
    assert path.read_bytes() == b"{}"


@pytest.mark.parametrize(("wishes", "personal"), [
    (Preference(), True), (Preference(explore=True), True), (Preference(personalisation=False), False),
    (Preference(privacy_first=True), False), (Preference(personalisation=False, privacy_first=True), False),
])  # fmt: skip
def test_past_listening_may_be_used_where_nothing_forbids_it(wishes: Preference, *, personal: bool) -> None:
    assert wishes.personal is personal


@given(st.dictionaries(st.text(min_size=1), st.builds(Preference, st.booleans(), st.booleans(), st.booleans())))
def test_preferences_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, told: dict[str, Preference]
) -> None:
    path = tmp_path_factory.mktemp("preferences") / "p.json"
    write_preferences(path, told)
    assert read_preferences(path) == {user: one for user, one in told.items() if one != Preference()}


@pytest.mark.parametrize("user", ["", "x" * 513, "a\nb", "\udcff", "\x1b[2J"])
def test_nobody_is_called_what_cannot_be_written_down(path: Path, user: str) -> None:
    with pytest.raises(UsageError, match="No listener is called"):
        change_preference(path, user, explore=True)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"ann": {"explore": "yes"}}', b"\xff"])
def test_a_broken_file_is_told_and_kept_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        change_preference(path, "ann", explore=True)
    assert path.read_bytes() == content


CHANGES = """
import sys
from pathlib import Path
from contract.preferences import change_preference
for i in range(40):
    change_preference(Path(sys.argv[1]), f"{sys.argv[2]}-{i}", explore=True)
"""


def test_two_that_change_it_at_once_lose_nothing(path: Path) -> None:
    both = [subprocess.Popen([sys.executable, "-c", CHANGES, str(path), name], cwd=ROOT) for name in ("ann", "bob")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(read_preferences(path)) == 80
    assert {file.name for file in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")
def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with locked(lock, wait=False) as first, locked(lock, wait=False) as second:
        assert (first, second) == (True, False)
    with locked(lock, wait=False) as again:
        assert again


def test_a_change_is_seen_by_a_process_that_goes_on(path: Path) -> None:
    watched = WatchedPreferences(path)
    assert watched.of("ann") == Preference()
    change_preference(path, "ann", personalisation=False)
    assert watched.of("ann") == Preference(personalisation=False)
    change_preference(path, "ann", personalisation=True)
    assert watched.of("ann") == Preference()
    path.unlink()
    assert watched.of("ann") == Preference()


def test_the_command_shows_and_changes_settings(say: Say, tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    shown = say("listener", "ann", *home, "--json").document
    assert shown == {
        "user": "ann", "personalisation": True, "privacy_first": False, "explore": False, "held_by_version": True, "known": False,
    }  # fmt: skip
    assert not Home(tmp_path / "home").preferences.exists(), "looking changes nothing"
    changed = say("listener", "ann", "--explore", "on", "--personalisation", "off", *home, "--json").document
    assert (changed["explore"], changed["personalisation"], changed["held_by_version"]) == (True, False, False)
    lines = say("listener", "ann", *home).out.splitlines()
    assert lines[0] == "personalisation  off: only what is popular is recommended"
    assert lines[3] == "Whatever shows recommendations goes by these at once."
    assert "does not know a listener 'ann'" in lines[-1]


def test_a_setting_is_on_or_off(say: Say) -> None:
    assert "--explore" in say("listener", "ann", "--explore", "maybe").refusal
