"""The offline replay: two rankings of the same requests, held against what was finished on the day behind them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from contract.catalogue import Catalogue, Item
from contract.features import ROW_SCHEMA
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS
from monitoring.compare import Pair, align
from monitoring.damage import Replayed, keep_rankings, replayed, split
from tests.toylake import ToyLog, event

NIGHT = 1_767_830_400_000
ASKED = NIGHT - 2 * HOUR_MS
CATALOGUE = Catalogue.of(
    [Item(item_id=f"{show}-1", title=show, show=show, show_genre="news", duration_ms=60 * MINUTE_MS) for show in ("a", "b", "c")]
)


def rows(**rankings: list[str] | None) -> pa.Table:
    """A row a listener, with nothing but a ranking."""
    plain = {field.name: None for field in ROW_SCHEMA}
    made = [
        {**plain, "user_id": user, "as_of_ms": ASKED, "partition": 0, "cut": 5, "version": "v", "shows": shows}
        for user, shows in rankings.items()
    ]
    nullable = pa.schema([field.with_nullable(True) for field in ROW_SCHEMA])
    return pa.Table.from_pylist(made, nullable)


def pair(trusted: pa.Table, served: pa.Table) -> Pair:
    return align(trusted, served, ("user_id", "as_of_ms", "cut"))


def heard(home: Home, *listens: tuple[str, str, int, int]) -> Lake:
    """A lake with podcast listens (user, item, ended after ASKED, minutes), closed a day behind the night."""
    log = ToyLog(1)
    for user, item, after_ms, minutes in listens:
        log.send(event(user, item, ASKED + after_ms, kind="podcast", ms_played=minutes * MINUTE_MS, duration_ms=60 * MINUTE_MS))
    for at in (NIGHT, NIGHT + DAY_MS):
        log.control(Watermark(at))
    lake = log.archive(home)
    lake.settle(1)
    return lake


def test_a_ranking_that_has_first_what_was_finished_is_better(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lake = heard(home, ("ann", "b-1", HOUR_MS, 40))
    keep_rankings(home, NIGHT, pair(rows(ann=["b", "a"]), rows(ann=["a", "b"])))
    (found,) = replayed(home, lake, CATALOGUE, [NIGHT])
    assert (found.night_ms, found.requests, found.trusted) == (NIGHT, 1, 1.0)
    assert found.served == pytest.approx(1 / 1.584962500721156)  # second place: 1 / log2(3)


@pytest.mark.parametrize(
    ("listens", "why"),
    [
        ([("ann", "b-1", HOUR_MS, 29)], "less than half of the episode"),
        ([("ann", "b-1", -HOUR_MS, 40)], "before the request"),
        ([("ann", "b-1", DAY_MS + 1, 40)], "more than a day behind it"),
        ([("bob", "b-1", HOUR_MS, 40)], "by somebody else"),
        ([("ann", "unknown", HOUR_MS, 40)], "an item that is in no show"),
    ],
)
def test_what_is_no_outcome_is_not_counted(listens: list[tuple[str, str, int, int]], why: str, tmp_path: Path) -> None:
    home = Home(tmp_path)
    keep_rankings(home, NIGHT, pair(rows(ann=["b", "a"]), rows(ann=["a", "b"])))
    assert replayed(home, heard(home, *listens), CATALOGUE, [NIGHT]) == [], why


def test_two_sittings_finish_an_episode_together(tmp_path: Path) -> None:
    home = Home(tmp_path)
    keep_rankings(home, NIGHT, pair(rows(ann=["b"]), rows(ann=["b"])))
    lake = heard(home, ("ann", "b-1", HOUR_MS, 20), ("ann", "b-1", 2 * HOUR_MS, 20))
    assert replayed(home, lake, CATALOGUE, [NIGHT])[0].requests == 1


def test_requests_without_a_ranking_are_left_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    keep_rankings(home, NIGHT, pair(rows(ann=None), rows(ann=None)))
    assert replayed(home, heard(home, ("ann", "b-1", HOUR_MS, 40)), CATALOGUE, [NIGHT]) == []


def test_a_night_whose_next_day_is_not_over_waits(tmp_path: Path) -> None:
    home = Home(tmp_path)
    keep_rankings(home, NIGHT + DAY_MS, pair(rows(ann=["b"]), rows(ann=["b"])))
    assert replayed(home, heard(home, ("ann", "b-1", HOUR_MS, 40)), CATALOGUE, [NIGHT + DAY_MS, NIGHT + 5 * DAY_MS]) == []


def test_what_quality_lost_is_split_into_disparity_and_drift() -> None:
    nights = [
        Replayed(NIGHT - 2 * DAY_MS, 10, 0.8, 0.8),
        Replayed(NIGHT - DAY_MS, 30, 0.6, 0.6),
        Replayed(NIGHT, 20, 0.4, 0.6),
        Replayed(NIGHT + DAY_MS, 20, 0.2, 0.4),
    ]
    found = split(nights, NIGHT, NIGHT + DAY_MS)
    assert found["replay_requests"] == 40
    assert found["replay_served"] == pytest.approx(0.3)
    assert found["replay_disparity"] == pytest.approx(0.5 - 0.3)
    assert found["replay_drift"] == pytest.approx(0.65 - 0.5)


def test_where_nothing_was_replayed_nothing_is_said() -> None:
    assert set(split([], NIGHT, NIGHT).values()) == {None}
    assert split([Replayed(NIGHT, 50, 0.4, 0.4)], NIGHT, NIGHT)["replay_drift"] is None


def test_of_too_few_requests_their_number_alone_is_said() -> None:
    told = split([Replayed(NIGHT - DAY_MS, 90, 0.5, 0.5), Replayed(NIGHT, 29, 0.1, 0.4)], NIGHT, NIGHT)
    assert told["replay_requests"] == 29
    assert told["replay_served"] is told["replay_disparity"] is told["replay_drift"] is None
