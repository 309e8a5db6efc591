"""Skews of time, volume and freshness on toy logs: what each does to a few listens, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.catalogue import Catalogue, Item
from contract.event import Event
from contract.features import FeatureConstants
from contract.home import Home
from contract.records import Watermark
from contract.skew import Acting, Skew
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_instant
from lab.skews import catalogue
from lab.skews.cached_residuals import CachedResiduals
from lab.skews.clock_skew import ClockSkew
from lab.skews.cold_start import ColdStart
from lab.skews.decay_anchor import DecayAnchor
from lab.skews.decay_half_life import DecayHalfLife
from lab.skews.event_vs_processing_time import EventVsProcessingTime
from lab.skews.late_dropped import LateDropped
from lab.skews.never_wired import NeverWired
from lab.skews.out_of_order_overwrite import OutOfOrderOverwrite
from lab.skews.seam_double_count import SeamDoubleCount
from lab.skews.session_gap import SessionGap
from lab.skews.stale_dimension import StaleDimension
from lab.skews.ttl_eviction import TtlEviction
from lab.skews.window_edge import WindowEdge
from lab.skews.window_length import WindowLength
from streaming.overrides import Overrides
from tests.toylake import ToyLog, as_dicts, event, home_with

BEGIN = parse_instant("2026-01-05")
KNOWN = Catalogue.of(
    [
        Item("new", "N", show="fresh", show_genre="news", release_ms=BEGIN - 100 * DAY_MS),
        Item("old", "O", show="classic", show_genre="history", release_ms=BEGIN - 500 * DAY_MS),
        Item("undated", "U", genre="jazz"),
    ]
)
Rows = dict[tuple[str, int], dict[str, Any]]
Live = Callable[..., Rows]
SKIPPED = 10 * SECOND_MS


def at(day: int, hour: float = 0.0) -> int:
    """Say an instant: midnight number ``day``, and so many hours."""
    return BEGIN + day * DAY_MS + round(hour * HOUR_MS)


def heard(item: str, day: int, hour: float, late_h: float = 0.0, **fields: object) -> Event:
    ended = at(day, hour)
    return event("ann", item, ended, received_at_ms=ended + round(late_h * HOUR_MS), **fields)


def again(one: Event, late_h: float) -> Event:
    """Send an event again."""
    return msgspec.structs.replace(one, received_at_ms=one.ts_ms + round(late_h * HOUR_MS))


def rows(home: Home, skew: Skew, *events: Event, days: int, size: int = 1) -> Rows:
    """Return all rows of days 0 to ``days``, by listener and instant, in steps of up to ``size`` records."""
    log = ToyLog(1)
    for day in range(days + 1):
        log.control(Watermark(at(day)))
        log.send(*(one for one in events if at(day) <= one.received_at_ms < at(day + 1)))
    path = log.path(home, 0, Overrides([Acting(skew, {0: 0})]))
    return as_dicts([step.rows.to_arrow() for step in log.consume(path, size=size) if step.rows is not None])


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return partial(rows, home_with(tmp_path, KNOWN)[0])


def test_the_play_that_asks_is_not_in_its_count_and_a_skip_that_asks_takes_nothing_away(live: Live) -> None:
    events = [heard("a", 0, 10), heard("b", 0, 11, ms_played=SKIPPED), heard("c", 0, 12)]
    found = live(WindowEdge(), *events, days=1)
    counts = {as_of: (row["plays_24h"], row["plays_7d"]) for (_, as_of), row in found.items()}
    assert counts == {at(0, 10) + 1: (0, 0), at(0, 11) + 1: (1, 1), at(0, 12) + 1: (1, 1), at(1): (2, 2)}


def test_a_play_of_the_day_before_yesterday_that_asks_is_missing_in_the_week_alone(live: Live) -> None:
    row = live(WindowEdge(), heard("a", 0, 10), heard("b", 0, 11, late_h=40), days=2)["ann", at(2, 3) + 1]
    assert (row["plays_24h"], row["plays_7d"]) == (0, 1)


def test_what_comes_before_an_older_event_of_its_step_is_lost(live: Live) -> None:
    events = [heard("a", 0, 10), heard("b", 0, 12), event("bob", "b", at(0, 12)), heard("c", 0, 11, late_h=2), heard("d", 0, 14)]
    one_step, one_each = (live(OutOfOrderOverwrite(), *events, days=1, size=size) for size in (100, 1))
    assert [found["ann", at(1)]["plays_24h"] for found in (one_step, one_each)] == [3, 4]
    assert one_step["bob", at(1)]["plays_24h"] == 1


def test_a_retry_overwrites_what_came_since_and_keeps_its_own_event(live: Live) -> None:
    first = heard("a", 0, 10)
    found = live(OutOfOrderOverwrite(), first, heard("b", 0, 12), again(first, 3), days=1, size=100)
    assert found["ann", at(1)]["plays_24h"] == 1


def test_what_is_as_late_as_allowed_counts_and_a_minute_more_does_not(live: Live) -> None:
    events = [heard("a", 0, 10), heard("b", 0, 11, late_h=10 / 60), heard("c", 0, 12, late_h=11 / 60)]
    assert live(LateDropped(), *events, days=1)["ann", at(1)]["distinct_items_28d"] == 2


def test_the_allowed_lateness_falls_by_equal_factors_from_two_days() -> None:
    assert [LateDropped(severity).value for severity in (0, 0.5, 1)] == pytest.approx([2880, (2880 * 10) ** 0.5, 10])


def test_an_event_that_is_stamped_on_arrival_is_of_the_next_day_and_its_retry_is_another_one(live: Live) -> None:
    late = heard("a", 0, 23, late_h=2)
    row = live(EventVsProcessingTime(), late, again(late, 3), days=2)["ann", at(2)]
    assert (row["plays_yesterday"], row["distinct_items_28d"]) == (2, 1)
    assert row["recency_hours"] == 22


def test_a_clock_three_hours_ahead_moves_the_evening_behind_midnight(live: Live) -> None:
    found = live(ClockSkew.with_value(3), heard("a", 0, 20), heard("b", 0, 22), days=2)
    assert [found["ann", at(night)]["plays_yesterday"] for night in (1, 2)] == [1, 1]
    assert found["ann", at(2)]["recency_hours"] == 23


def test_a_clock_twelve_hours_behind_moves_even_the_latest_event_without_harm(live: Live) -> None:
    assert live(ClockSkew.with_value(-12), heard("a", 0, 13, late_h=48), days=3)["ann", at(3)]["recency_hours"] == 3 * 24 - 1


def test_decay_stops_at_the_last_listen(live: Live) -> None:
    found = {value: live(DecayAnchor.with_value(value), heard("a", 0, 0), days=7)["ann", at(7)] for value in (0, 0.5, 1)}
    assert [row["decayed_plays"] for row in found.values()] == pytest.approx([0.5, 0.5**0.5, 1])


def test_the_last_two_hours_of_a_day_count_twice_however_often_they_are_sent(live: Live) -> None:
    twice = heard("b", 0, 22)
    row = live(SeamDoubleCount(), heard("a", 0, 22 - 1 / 60), twice, again(twice, 1), heard("c", 1, 0), days=2)["ann", at(2)]
    assert (row["plays_7d"], row["plays_yesterday"], row["sessions_7d"]) == (4, 1, 2)


def test_a_count_that_became_nothing_is_what_it_was_after_the_last_play(live: Live) -> None:
    events = [heard("a", 0, 1), heard("b", 1, 2), heard("c", 1, 3), heard("d", 2, 23, ms_played=SKIPPED)]
    found = live(CachedResiduals(), *events, days=14)
    days, weeks = ([found["ann", at(night)][name] for night in (2, 4, 9, 14)] for name in ("plays_24h", "plays_7d"))
    assert days == [2, 2, 2, 0]  # on the fourteenth night the single listens of day 1 are gone
    assert weeks == [3, 3, 3, 0]


def test_a_row_lives_for_as_long_as_it_is_told_and_comes_back_with_the_next_listen(live: Live) -> None:
    found = live(TtlEviction(), heard("a", 0, 0), heard("b", 4, 6), days=5)
    assert [night for night in range(1, 6) if ("ann", at(night)) in found] == [1, 2, 3, 5]


def test_who_has_more_listens_than_are_read_in_time_has_no_row(live: Live) -> None:
    events = [heard("a", day, 12) for day in (0, 1, 13)]
    found = live(ColdStart.with_value(2), *events, days=14)
    assert [night for night in range(1, 15) if ("ann", at(night)) in found] == list(range(1, 14))  # two of the three are closed


def test_what_was_released_since_has_no_genre_and_no_show(live: Live) -> None:
    podcast = {"kind": "podcast", "ms_played": 90 * SECOND_MS}
    events = [heard("new", 0, 1, **podcast), heard("old", 0, 2, **podcast), heard("undated", 0, 3), heard("strange", 0, 4)]
    found = [live(StaleDimension.with_value(age), *events, days=1)["ann", at(1)] for age in (0, 100, 102, 502)]
    shows = [dict(row["show_listens_28d"]) for row in found]
    assert shows == [{"classic": 1, "fresh": 1}, {"classic": 1, "fresh": 1}, {"classic": 1}, {}]
    assert [row["genre_affinity"] for row in found] == [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0.5, 0.5, 0.0], [0.0, 0.5, 0.0]]
    assert {row["podcast_completion_28d"] for row in found} == {0.45}


def test_families_go_missing_one_after_the_other(live: Live) -> None:
    none, sessions, both = (live(NeverWired(severity), heard("undated", 0, 1), days=1)["ann", at(1)] for severity in (0, 0.5, 1))
    assert [row["sessions_7d"] for row in (none, sessions, both)] == [1, 0, 0]
    assert [row["session_minutes_7d"] is None for row in (none, sessions, both)] == [False, True, True]
    assert [row["phone_share_28d"] for row in (none, sessions, both)] == [1, 0, 0]
    assert [row["top_genre"] for row in (none, sessions, both)] == ["jazz", "jazz", None]
    assert both["genre_affinity"] == [0, 0, 0]


@pytest.mark.parametrize(
    ("skew", "changed"),
    [
        (WindowLength(1), {"week_window_h": 192}),
        (WindowLength.with_value(10), {"week_window_h": 240}),
        (DecayHalfLife(0.5), {"half_life_ms": 6 * DAY_MS}),
        (SessionGap(1), {"session_gap_ms": 20 * MINUTE_MS}),
    ],
    ids=lambda value: value.told if isinstance(value, Skew) else "",
)
def test_a_constant_is_exchanged_in_its_own_unit(skew: Skew, changed: dict[str, int]) -> None:
    assert skew.settings(FeatureConstants()) == FeatureConstants(**changed)


@pytest.mark.parametrize("skew", [one for one in catalogue().values() if one.group in {"time", "volume", "freshness"}])
def test_every_explanation_hits_everybody_with_a_value_that_is_not_harmless(skew: type[Skew]) -> None:
    tried = skew.hypotheses()
    assert all(one.hit(["ann", "bob"]).all() and one.value != one.harmless for one in tried)
    assert skew.worst in {one.value for one in tried}
