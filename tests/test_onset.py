"""The onset by binary search: the right night, few questions, and what pauses do to it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import CannotJudge
from monitoring.onset import NEIGHBOURS, onset_of


def asked_for(nights: range, differing: set[int]) -> tuple[int, list[int]]:
    asked: list[int] = []

    def differs(night: int) -> bool:
        asked.append(night)
        return night in differing

    return onset_of(nights, differs), asked


@settings(deadline=None, derandomize=True, database=None)
@given(count=st.integers(1, 300), onset=st.integers(0, 299))
def test_the_first_of_a_spell_that_lasts_is_found_wherever_it_begins(count: int, onset: int) -> None:
    onset = min(onset, count - 1)
    assert asked_for(range(count), set(range(onset, count)))[0] == onset


def test_few_nights_are_looked_at_and_each_once() -> None:
    found, asked = asked_for(range(1_000_000), set(range(777_777, 1_000_000)))
    assert found == 777_777
    assert len(asked) == len(set(asked)) <= 21 + NEIGHBOURS


@pytest.mark.parametrize("pause", [{13}, {13, 14}, {11, 14}])
def test_a_short_pause_does_not_hide_what_was_before_it(pause: set[int]) -> None:
    assert asked_for(range(16), set(range(10, 16)) - pause)[0] == 10


def test_behind_a_long_pause_the_last_spell_is_told_and_never_a_night_that_agrees() -> None:
    assert asked_for(range(40), {2, 3, *range(30, 40)})[0] == 30


def test_a_night_alone_is_its_own_onset() -> None:
    assert asked_for(range(5, 6), {5})[0] == 5


@pytest.mark.parametrize("nights", [range(0), range(4)])
def test_without_a_last_night_that_differs_there_is_no_onset(nights: range) -> None:
    with pytest.raises(CannotJudge, match="no onset"):
        onset_of(nights, lambda night: night == 1)
