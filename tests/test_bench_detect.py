"""``skewlab bench detect``: how trials are counted, by hand; and its short form, for real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from lab.bench.detect_frames import Found
from lab.bench.detect_tables import monitors_table, rows, skews_table, write_tables
from lab.bench.detect_trials import OURS, Trial
from tests.saying import Said

NIGHTS = ["2026-01-09", "2026-01-10", "2026-01-11"]


def trial(skew: str = "session-gap", first: str | None = NIGHTS[0], **alarms: Sequence[str]) -> Trial:
    """A trial in which monitors raised alarms on some nights; all of them looked at all nights."""
    found = [
        Found(f"{skew}-1-1", night, monitor.replace("_", "-"), night in nights, (), 0.5)
        for monitor, nights in alarms.items()
        for night in NIGHTS
    ]
    return Trial(skew, 1.0, 1, NIGHTS, first=first, found=found)


def test_an_alarm_on_the_first_night_that_differs_took_one_night() -> None:
    assert trial(skewlab=NIGHTS).nights_to_detection(OURS) == 1


def test_an_alarm_before_anything_differs_is_no_detection() -> None:
    one = trial(first=NIGHTS[1], skewlab=NIGHTS[:1])
    assert one.nights_to_detection(OURS) is None
    assert trial(first=NIGHTS[1], skewlab=[NIGHTS[0], NIGHTS[2]]).nights_to_detection(OURS) == 2


def test_a_monitor_that_never_alarms_never_detects() -> None:
    assert trial(skewlab=[]).nights_to_detection(OURS) is None
    assert trial(first=None, skewlab=NIGHTS).nights_to_detection(OURS) is None


def test_the_place_of_a_skew_is_where_it_stands_among_the_suspects() -> None:
    one = trial(skewlab=NIGHTS)
    assert one.place is None
    one.suspects = ["window-length", "session-gap"]
    assert one.place == 2


def value(trials: Sequence[Trial], name: str) -> float:
    return next(row.value for row in rows(trials, claim=False) if row.name == name)


def test_shares_are_of_the_trials_in_which_some_row_differs() -> None:
    seen, late, missed, clean = (
        trial(skewlab=NIGHTS, evidently=[]),
        trial(skewlab=NIGHTS[1:], evidently=NIGHTS[2:]),
        trial(skewlab=[], evidently=[]),
        trial("clean", None, skewlab=[], evidently=NIGHTS[:1]),
    )
    seen.suspects, late.suspects = ["session-gap"], ["a", "b", "session-gap"]
    seen.truth = seen.named = late.truth = ["sessions_7d"]
    trials = [seen, late, missed, clean]
    assert value(trials, "detected_first_night") == pytest.approx(1 / 3)
    assert value(trials, "transform_first") == pytest.approx(1 / 3)
    assert value(trials, "transform_top3") == pytest.approx(2 / 3)
    assert value(trials, "feature_named") == pytest.approx(2 / 3)  # the third names nothing, and nothing is true of it
    assert value(trials, "detected_evidently") == pytest.approx(1 / 3)
    assert value(trials, "false_alarms_200_nights") == 0


def test_false_alarms_are_counted_for_200_clean_nights() -> None:
    assert value([trial("clean", None, skewlab=NIGHTS[:1])], "false_alarms_200_nights") == pytest.approx(200 / 3)


def test_milder_severities_are_told_in_the_table_and_in_no_row() -> None:
    mild = msgspec.structs.replace(trial(skewlab=[]), severity=0.3)
    assert value([trial(skewlab=NIGHTS), mild], "detected_first_night") == 1
    assert any("| session-gap | 0.3 |" in line for line in skews_table([mild]))


def test_the_tables_tell_who_saw_what(tmp_path: Path) -> None:
    trials = [trial(skewlab=NIGHTS, parity=NIGHTS[1:], nannyml=[]), trial("clean", None, skewlab=[], parity=[], nannyml=NIGHTS)]
    told = "\n".join(monitors_table(trials))
    assert "| skewlab | 1 of 1 | 1 | 1 | 0.0 |" in told
    assert "| nannyml | 0 of 1 | 0 | - | 100.0 |" in told
    assert "1/1 (night 2)" in "\n".join(skews_table(trials))
    write_tables(trials, tmp_path)
    session_gap, clean = msgspec.json.decode((tmp_path / "detect.json").read_bytes())
    assert session_gap["found"] == {"skewlab": NIGHTS, "parity": NIGHTS[1:], "nannyml": []}
    assert (clean["skew"], clean["first"], clean["nights"]) == ("clean", None, NIGHTS)
    assert (tmp_path / "detect.svg").read_text().lstrip().startswith("<?xml")


@pytest.mark.spark
def test_the_short_form_detects_names_and_stays_silent(say: Callable[..., Said], tmp_path: Path) -> None:
    said = say("bench", "detect", "--small", "--json", "--home", str(tmp_path / "home"), "--out", str(tmp_path / "out"))
    assert said.code == 0
    document = msgspec.json.decode(said.out)
    found = {row["name"]: row["value"] for row in document["rows"]}
    assert found["detected_first_night"] == found["feature_named"] == found["transform_first"] == 1
    assert found["false_alarms_200_nights"] == 0
    assert all(row["met"] is None for row in document["rows"])  # so small a run makes no claim
    assert {one["skew"] for one in document["trials"]} >= {"clean", "gradual-drift", "benign-lag", "podcast-resume"}
    assert not (tmp_path / "home" / "bench-detect").exists()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"detect.md", "detect.json", "detect.svg"}
