"""Judging many records in one go says what judging each of them says."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.event import Event
from contract.records import LATENESS_MS, PartitionClock, encode, judge, judge_all
from contract.windows import DAY_MS
from tests.toylake import event

NOON = 20_000 * DAY_MS + DAY_MS // 2
GOOD = encode(event("ann", "song", NOON))
FIELDS = GOOD[1:-1]
TRICKS = {
    "two in one": GOOD + b"," + GOOD,
    "cut in the middle": GOOD[: len(GOOD) // 2],
    "the other half": GOOD[len(GOOD) // 2 :],
    "open list": b'{"x":[' + FIELDS,
    "closes what another opened": b"{" + FIELDS + b"}]}",
    "brace in a name": encode(event("ann", "so{ng", NOON)),
    "bracket in a name": encode(event("ann", "so[ng", NOON)),
    "object inside": b'{"x":{},' + FIELDS + b"}",
    "comma behind": GOOD + b",",
    "text that begins in one": b'{"event_id":"',
    "and ends in the next": b'{",' + FIELDS + b"}",
    "blank before": b" " + GOOD,
    "blank behind": GOOD + b" ",
    "nothing": b"",
}
DAYS = st.integers(-3, 3).map(lambda days: days * DAY_MS)


@st.composite
def records(draw: st.DrawFn) -> tuple[bytes | None, bytes | None]:
    """A key and a value: mostly good, near the limits of lateness, sometimes a trick."""
    if draw(st.integers(0, 5)) == 0:
        return b"ann", draw(st.sampled_from([*TRICKS.values(), None]))
    received = NOON + draw(DAYS) + draw(st.integers(-1, 1))
    ended = received - draw(st.sampled_from([0, 1, LATENESS_MS, LATENESS_MS + 1, -1]))
    user = draw(st.sampled_from(["ann", "bob"]))
    key = draw(st.sampled_from([user.encode()] * 5 + [b"carl", None]))
    return key, encode(event(user, "song", ended, received_at_ms=received))


def one_by_one(found: Sequence[tuple[bytes | None, bytes | None]], clock: PartitionClock) -> list[object]:
    judged: list[object] = []
    for key, value in found:
        judged.append(judge(value, key, 0, 1, clock))
        clock.advance(judged[-1])  # type: ignore[arg-type]
    return judged


@settings(max_examples=500, deadline=None)
@given(st.lists(records(), min_size=1, max_size=6), st.sampled_from([None, NOON - DAY_MS, NOON]))
def test_what_passes_in_one_go_passes_one_by_one_and_moves_the_clock_alike(
    found: list[tuple[bytes | None, bytes | None]], now: int | None
) -> None:
    clock = PartitionClock(now)
    alone = copy.copy(clock)
    together = judge_all([key for key, _ in found], [value for _, value in found], 0, 1, clock)
    expected = one_by_one(found, alone)
    if together is None:
        assert clock == PartitionClock(now)
    else:
        assert (together, clock) == (expected, alone)


def test_good_records_do_pass_in_one_go() -> None:
    events = [event("ann", f"song-{i}", NOON + i) for i in range(5)]
    assert judge_all([b"ann"] * 5, [encode(one) for one in events], 0, 1, PartitionClock()) == events


def test_no_two_values_together_make_an_event_that_neither_is() -> None:
    for first in TRICKS.values():
        for second in TRICKS.values():
            found = judge_all([b"ann", b"ann"], [first, second], 0, 1, PartitionClock())
            assert found is None or [encode(one) for one in found] == [
                encode(msgspec.json.decode(value, type=Event)) for value in (first, second)
            ]
