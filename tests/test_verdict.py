"""What the monitor says of nights: exit codes, kept verdicts, incidents, and the groups that are hit most."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd
import pytest

from contract.errors import CannotJudge
from contract.features import BY_NAME
from contract.home import Home
from monitoring.incident import Incident, incidents, markdown, write_incidents
from monitoring.segments import SMALLEST, worst
from monitoring.slices import Slice
from monitoring.verdict import Segment, Verdict, only_features, read_verdicts, write_verdict

PLAYS, SKIPS, RESUMED = "plays_7d", "skip_rate_28d", "podcast_completion_28d"
CARS = Segment("device", "car", 12, 0.5)


def night(day: int, parity: str = "pass", *alarmed: str, exact: float = 1.0, **fields: object) -> Verdict:
    """One night's verdict: all suites pass but parity, where told so; ``exact`` is the share of all three features."""
    plain: dict[str, object] = {
        "night": f"2026-01-{day:02d}T00:00:00Z",
        "operations": "pass",
        "distribution": "pass",
        "parity": parity,
        "ranking": "pass",
        "exact": exact == 1.0,
        "ranking_required": True,
        "version": "initial",
        "requests": 100,
        "missing": 0,
        "extra": 0,
        "listeners": 20,
        "affected": [],
        "alarmed": list(alarmed),
        "failed": {},
        "features": {name: {"exact": exact} for name in (PLAYS, SKIPS, RESUMED)},
        "distances": {},
        "rankings": {},
        "segments": [],
    }
    return msgspec.convert({**plain, **fields}, Verdict)


def failing(day: int, *alarmed: str, **fields: object) -> Verdict:
    return night(day, "fail", *(alarmed or (PLAYS,)), exact=0.5, **fields)


def days(incident: Incident) -> tuple[str, str, str]:
    return incident.onset[8:10], incident.opened[8:10], incident.last_seen[8:10]


def test_a_night_on_which_all_is_well_exits_0() -> None:
    assert night(1).exit_code == 0


@pytest.mark.parametrize("suite", ["operations", "parity", "ranking"])
def test_a_required_suite_that_failed_exits_1(suite: str) -> None:
    assert night(1, **{suite: "fail"}).exit_code == 1


@pytest.mark.parametrize("suite", ["operations", "parity", "ranking"])
def test_a_required_suite_that_could_not_be_judged_exits_2(suite: str) -> None:
    assert night(1, **{suite: "unjudged"}).exit_code == 2


def test_a_failure_outweighs_what_could_not_be_judged() -> None:
    assert night(1, "unjudged", operations="fail").exit_code == 1


@pytest.mark.parametrize("outcome", ["fail", "unjudged"])
def test_distribution_alone_is_a_warning(outcome: str) -> None:
    assert night(1, distribution=outcome).exit_code == 0


def test_ranking_is_not_required_without_podcasts() -> None:
    assert night(1, ranking="unjudged", ranking_required=False).exit_code == 0
    assert night(1, "unjudged", ranking="unjudged", ranking_required=False).exit_code == 2


def test_a_verdict_is_read_as_it_was_written(tmp_path: Path) -> None:
    told = {"features": {PLAYS: {"exact": 0.5, "rank_correlation": None}}, "rankings": {"rbo": None}}
    verdict = failing(1, PLAYS, affected=["ann"], failed={"parity": [PLAYS]}, segments=[CARS], **told)
    write_verdict(Home(tmp_path), verdict)
    assert read_verdicts(Home(tmp_path)) == [verdict]


@pytest.mark.parametrize("text", ["", "{", '{"night": 5}'])
def test_a_verdict_that_cannot_be_read_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = write_verdict(Home(tmp_path), night(1))
    path.write_text(text)
    with pytest.raises(CannotJudge, match=r"cannot be read: .*\. Judge that night again: 'skewlab monitor --as-of 2026-01-01'\."):
        read_verdicts(Home(tmp_path))


def test_verdicts_are_read_oldest_first_and_a_night_judged_again_replaces_itself(tmp_path: Path) -> None:
    for verdict in (night(10), failing(9), night(9)):
        write_verdict(Home(tmp_path), verdict)
    assert read_verdicts(Home(tmp_path)) == [night(9), night(10)]


def test_a_home_without_verdicts_has_none(tmp_path: Path) -> None:
    assert read_verdicts(Home(tmp_path)) == []


def test_columns_that_are_no_features_are_left_out_and_the_rest_is_in_the_registrys_order() -> None:
    assert only_features(["unmatched", SKIPS, PLAYS]) == [PLAYS, SKIPS]


def test_nights_whose_parity_holds_open_no_incident() -> None:
    assert incidents([]) == []
    assert incidents([night(1), night(2, operations="fail", ranking="fail"), night(3, exact=0.9)]) == []


def test_a_run_of_failing_nights_is_one_incident() -> None:
    assert [days(one) for one in incidents([night(1), failing(2), failing(3), night(4)])] == [("02", "02", "03")]


def test_two_runs_with_a_clean_night_between_are_two() -> None:
    found = incidents([failing(1), night(2), failing(3), failing(4)])
    assert [days(one) for one in found] == [("01", "01", "01"), ("03", "03", "04")]


def test_the_onset_lies_before_the_alarm_where_the_alarmed_features_differ_already() -> None:
    quiet = night(2, exact=0.999), night(3, exact=0.998)
    assert [days(one) for one in incidents([night(1), *quiet, failing(4)])] == [("02", "04", "04")]


def test_the_onset_lies_before_a_pause_of_one_night_and_not_before_a_longer_one() -> None:
    found = incidents([night(1, exact=0.9), night(2), night(3, exact=0.999), failing(4)])
    assert [days(one) for one in found] == [("01", "04", "04")]
    longer = incidents([night(1, exact=0.9), night(2), night(3), night(4), night(5, exact=0.999), failing(6)])
    assert [days(one) for one in longer] == [("05", "06", "06")]


def test_the_night_on_which_parity_passes_again_is_that_of_recovery() -> None:
    found = incidents([failing(1), failing(2), night(3, "unjudged"), night(4), night(5), failing(6)])
    assert [one.recovered for one in found] == ["2026-01-04T00:00:00Z", None]
    assert "**recovered** 2026-01-04" in markdown(found[0])
    assert "**recovered** not yet" in markdown(found[1])


def test_an_incident_tells_the_smallest_group_that_explains_most_of_it() -> None:
    group = Slice({"device": "car", "kind": "both"}, 40, share=0.9, hit_rate=0.75, lift=5.0, lift_at_least=3.0)
    (found,) = incidents([failing(1), failing(2, slice=group)])
    assert found.slice == group
    assert "most of it: device car and kind both: 90% of all who are hit, 75% of its 40 listeners" in markdown(found)


def test_another_feature_that_differed_before_is_no_onset() -> None:
    other = night(1, features={PLAYS: {"exact": 1.0}, SKIPS: {"exact": 0.9}})
    assert days(incidents([other, failing(2, PLAYS)])[0]) == ("02", "02", "02")


def test_an_incident_gathers_its_nights_features_in_the_registrys_order() -> None:
    found = incidents([failing(1, RESUMED), failing(2, PLAYS), failing(3, RESUMED)])
    assert found[0].features == [PLAYS, RESUMED]
    assert found[0].owners == ["listening", "podcasts"]


def test_the_damage_is_that_of_the_last_night() -> None:
    last = failing(2, affected=["ann", "bob"], segments=[CARS], rankings={"rbo": 0.75, "changed": 0.5})
    found = incidents([failing(1, affected=["ann"], rankings={"rbo": 0.9, "changed": 0.1}), last])[0]
    assert found.damage == {
        "listeners": 2, "share": 0.1, "rows_missing": 0, "rows_extra": 0, "ranking_rbo": 0.75, "ranking_changed": 0.5,
    }  # fmt: skip
    assert found.segments == [CARS]


def test_no_suspect_is_named_where_no_hypothesis_was_tried() -> None:
    assert msgspec.to_builtins(incidents([failing(1)])[0].suspect) == dict.fromkeys(
        ["skew", "parameter", "explained", "runner_up"]
    )


def test_an_incident_reads_for_people() -> None:
    told = {"affected": ["ann"], "segments": [CARS], "rankings": {"rbo": None, "overlap": 0.5}}
    text = markdown(incidents([night(1), failing(2), failing(3, RESUMED, **told)])[0])
    assert text.startswith("# Training/serving skew since 2026-01-02T00:00:00Z\n")
    assert "last seen 2026-01-03T00:00:00Z (2 nights)" in text
    assert "**owner** listening, podcasts" in text
    for name in (PLAYS, RESUMED):
        assert f"- `{name}`: {BY_NAME[name].definition}\n" in text
    assert "- device car: 50% of 12\n" in text
    assert "- ranking overlap: 0.5\n" in text
    assert "rbo" not in text


def test_an_incident_is_written_for_people_and_scripts_under_its_onset(tmp_path: Path) -> None:
    found = incidents([failing(1), night(2), failing(3)])
    paths = write_incidents(Home(tmp_path), found)
    assert [path.name for path in paths] == ["2026-01-01.md", "2026-01-03.md"]
    assert paths[1].read_text() == markdown(found[1])
    assert msgspec.json.decode(paths[1].with_suffix(".json").read_bytes(), type=Incident) == found[1]


def test_what_a_run_knew_of_the_damage_stays_until_another_night_belongs_to_the_incident(tmp_path: Path) -> None:
    (known,) = incidents([night(1), failing(2)])
    write_incidents(Home(tmp_path), [msgspec.structs.replace(known, damage={**known.damage, "ndcg_lost": 0.25})])

    def kept(*verdicts: Verdict) -> float | None:
        (path,) = write_incidents(Home(tmp_path), incidents(verdicts))
        return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Incident).damage.get("ndcg_lost")

    assert kept(night(1), failing(2)) == 0.25
    assert kept(night(1), failing(2), night(3)) == 0.25
    assert kept(night(1), failing(2), failing(3)) is None
    (Home(tmp_path).incidents / "2026-01-02.json").write_text("{")
    assert kept(night(1), failing(2)) is None


def listeners(**groups: int) -> pd.DataFrame:
    """Return so many listeners of each country, named by it: SE-0, SE-1, ..."""
    names = [(f"{country}-{i}", country) for country, count in groups.items() for i in range(count)]
    return pd.DataFrame({"country": [country for _, country in names]}, index=[name for name, _ in names])


def test_a_group_hit_half_again_as_often_as_everybody_is_named() -> None:
    # everybody 10 of 40; Sweden 6 of 16 is 1.5 times as often, Norway 4 of 24 is less
    hit = [f"SE-{i}" for i in range(6)] + [f"NO-{i}" for i in range(4)]
    assert worst(listeners(SE=16, NO=24), hit) == [Segment("country", "SE", 16, 0.375)]


def test_a_group_hit_less_than_half_again_as_often_is_not() -> None:
    hit = [f"SE-{i}" for i in range(5)] + [f"NO-{i}" for i in range(5)]
    assert worst(listeners(SE=16, NO=24), hit) == []


def test_a_small_group_is_never_named() -> None:
    small = SMALLEST - 1
    assert worst(listeners(SE=small, NO=30), [f"SE-{i}" for i in range(small)]) == []
    assert len(worst(listeners(SE=SMALLEST, NO=30), [f"SE-{i}" for i in range(SMALLEST)])) == 1


def test_the_worst_group_comes_first() -> None:
    hit = [f"SE-{i}" for i in range(5)] + [f"FI-{i}" for i in range(10)]
    assert [segment.value for segment in worst(listeners(SE=10, NO=50, FI=10), hit)] == ["FI", "SE"]


def test_nobody_hit_or_nobody_there_names_no_group() -> None:
    assert worst(listeners(SE=20), []) == []
    assert worst(listeners(), ["SE-1"]) == []
