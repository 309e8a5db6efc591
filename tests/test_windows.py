"""Windows and calendar days at instants worked out by hand, and how instants are written and read."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import UsageError
from contract.windows import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    calendar_day,
    days_start,
    floor_day,
    floor_hour,
    hours_start,
    iso,
    iso_date,
    parse_instant,
    yesterday,
)

# 2026-01-01 is 56 years after 1970-01-01, of which 14 (1972, 1976, ..., 2024) are leap years:
# 56 * 365 + 14 = 20,454 days; 2026-01-08 is 7 days later, 20,461 * 86,400,000 ms = 1,767,830,400,000.
MIDNIGHT = 1_767_830_400_000
HALF_PAST_TEN = MIDNIGHT + 37_800_000  # 10.5 * 3,600,000
INSTANTS = st.integers(0, 253_402_300_799_999)  # to the end of the year 9999
OFFSETS = st.integers(-720, 840)
RULES = settings(deadline=None, derandomize=True, max_examples=100)


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    """An instant of January 2026, UTC."""
    return MIDNIGHT + (day - 8) * 86_400_000 + hour * 3_600_000 + minute * 60_000


def test_units_are_milliseconds() -> None:
    assert (MINUTE_MS, HOUR_MS, DAY_MS) == (60_000, 3_600_000, 86_400_000)


def test_an_hour_is_floored_to_its_first_millisecond() -> None:
    assert floor_hour(at(8, 10, 30)) == at(8, 10)
    assert floor_hour(at(8, 10)) == at(8, 10)
    assert floor_hour(at(8, 10) - 1) == at(8, 9)


def test_a_day_is_floored_to_its_midnight_utc() -> None:
    assert floor_day(at(8, 23, 59)) == at(8)
    assert floor_day(at(8)) == at(8)
    assert floor_day(at(8) - 1) == at(7)


def test_a_window_of_hours_starts_whole_hours_before_the_floored_hour() -> None:
    # T = Jan 8 10:30, floored 10:00; 24 h before is Jan 7 10:00: the window is 24.5 h long.
    assert hours_start(at(8, 10, 30), 24) == at(7, 10)
    assert hours_start(at(8, 10, 30), 168) == at(1, 10)


def test_a_window_of_hours_at_a_full_hour_is_exactly_as_long_as_named() -> None:
    assert hours_start(at(8, 10), 24) == at(7, 10)


def test_a_window_of_hours_keeps_its_start_until_the_hour_is_over() -> None:
    # The last millisecond before 11:00 still starts at 10:00 of the day before; at 11:00 the tail hops.
    assert hours_start(at(8, 11) - 1, 24) == at(7, 10)
    assert hours_start(at(8, 11), 24) == at(7, 11)


def test_a_window_of_days_starts_whole_days_before_the_floored_day() -> None:
    # Jan 8 minus 7 days is Jan 1; minus 28 days is Dec 11, which is 20 days before Dec 31 and 21 before Jan 1.
    assert days_start(at(8, 10, 30), 7) == at(1)
    assert days_start(at(8, 10, 30), 28) == at(1) - 21 * 86_400_000
    assert iso(days_start(at(8, 10, 30), 28)) == "2025-12-11T00:00:00Z"


def test_a_window_of_days_hops_at_midnight() -> None:
    assert days_start(at(9) - 1, 28) == days_start(at(8), 28)
    assert days_start(at(9), 28) == days_start(at(8), 28) + 86_400_000


def test_days_are_counted_from_1970_at_utc() -> None:
    assert calendar_day(at(8), 0) == 20_461
    assert calendar_day(at(8) - 1, 0) == 20_460


def test_a_calendar_day_begins_earlier_where_clocks_are_ahead_and_later_where_they_are_behind() -> None:
    # Jan 8 23:30 UTC is Jan 9 00:30 at +60 min; Jan 8 07:59 UTC is Jan 7 23:59 at -480 min.
    assert calendar_day(at(8, 23, 30), 60) == 20_462
    assert calendar_day(at(8, 22, 59), 60) == 20_461
    assert calendar_day(at(8, 7, 59), -480) == 20_460
    assert calendar_day(at(8, 8), -480) == 20_461


def test_yesterday_is_the_whole_utc_day_before_the_one_of_the_instant() -> None:
    assert yesterday(at(8, 10, 30), 0) == (at(7), at(8))


def test_yesterday_at_midnight_is_the_day_that_just_ended() -> None:
    assert yesterday(at(8), 0) == (at(7), at(8))
    assert yesterday(at(8) - 1, 0) == (at(6), at(7))


def test_yesterday_where_clocks_are_ahead() -> None:
    # +60: Jan 8 23:30 UTC is Jan 9 00:30; yesterday is Jan 8 there, from Jan 7 23:00 UTC to Jan 8 23:00 UTC.
    assert yesterday(at(8, 23, 30), 60) == (at(7, 23), at(8, 23))
    # One minute before 23:00 UTC it is still Jan 8 there.
    assert yesterday(at(8, 22, 59), 60) == (at(6, 23), at(7, 23))


def test_yesterday_where_clocks_are_behind() -> None:
    # -480: Jan 8 05:00 UTC is Jan 7 21:00; yesterday is Jan 6 there, from Jan 6 08:00 UTC to Jan 7 08:00 UTC.
    assert yesterday(at(8, 5), -480) == (at(6, 8), at(7, 8))
    # At 08:00 UTC Jan 8 begins there.
    assert yesterday(at(8, 8), -480) == (at(7, 8), at(8, 8))


def test_yesterday_where_clocks_stand_at_a_part_of_an_hour() -> None:
    # +345 (Nepal): midnight of Jan 8 is Jan 7 18:15 UTC.
    assert yesterday(at(8), 345) == (at(6, 18, 15), at(7, 18, 15))


@RULES
@given(INSTANTS, OFFSETS)
def test_yesterday_is_a_whole_day_that_ended_at_most_a_day_ago(instant: int, offset: int) -> None:
    start, end = yesterday(instant, offset)
    assert end - start == 86_400_000
    assert end <= instant < end + 86_400_000
    assert (end + offset * 60_000) % 86_400_000 == 0


def test_instants_are_written_in_utc() -> None:
    assert iso(MIDNIGHT) == "2026-01-08T00:00:00Z"
    assert iso(HALF_PAST_TEN) == "2026-01-08T10:30:00Z"
    assert iso(0) == "1970-01-01T00:00:00Z"


def test_milliseconds_are_written_only_where_there_are_any() -> None:
    assert iso(HALF_PAST_TEN + 7) == "2026-01-08T10:30:00.007Z"
    assert iso(MIDNIGHT - 1) == "2026-01-07T23:59:59.999Z"


def test_the_day_of_an_instant_is_its_utc_day() -> None:
    assert iso_date(MIDNIGHT) == "2026-01-08"
    assert iso_date(MIDNIGHT - 1) == "2026-01-07"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-08", MIDNIGHT),
        ("2026-01-08T10:30:00Z", HALF_PAST_TEN),
        ("2026-01-08T10:30:00.007Z", HALF_PAST_TEN + 7),
        ("2026-01-08T10:30:00", HALF_PAST_TEN),  # no zone: UTC
        ("2026-01-08 10:30", HALF_PAST_TEN),
        ("2026-01-08T16:15:00+05:45", HALF_PAST_TEN),  # 16:15 - 5:45 = 10:30
        ("2026-01-08T02:30:00-08:00", HALF_PAST_TEN),  # 2:30 + 8:00 = 10:30
    ],
)
def test_dates_and_instants_are_read(text: str, instant: int) -> None:
    assert parse_instant(text) == instant


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the machine's own clock 8 hours behind UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XST8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
def test_the_zone_of_the_machine_does_not_matter() -> None:
    assert time.timezone == 8 * 3_600
    assert parse_instant("2026-01-08") == MIDNIGHT
    assert iso(MIDNIGHT) == "2026-01-08T00:00:00Z"
    assert iso_date(MIDNIGHT) == "2026-01-08"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-02-29", "08.01.2026", "2026-01-08T25Z", "1767830400000"])
def test_a_text_that_is_no_date_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match="Write it as 2026-01-08 or"):
        parse_instant(text)


@RULES
@given(INSTANTS)
def test_what_is_written_is_read_back_to_the_millisecond(instant: int) -> None:
    assert parse_instant(iso(instant)) == instant
