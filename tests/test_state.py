"""A listener's state: its bytes, what becomes of it when days are closed, and states of earlier versions."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import InfrastructureError
from contract.features import FeatureConstants
from contract.records import LATENESS_MS
from contract.windows import DAY_MS
from streaming import migration
from streaming.arrivals import Arrivals
from streaming.codec import STATE_VERSION, state_of, tables_of
from streaming.migration import current
from streaming.state import States
from streaming.tables import (
    DECAYED,
    LISTENS,
    MUSIC_LISTENS,
    REPLAYS,
    SINGLES_DAYS,
    TILES_DAYS,
    Days,
    Listens,
    Tables,
    Tiles,
    room,
)  # fmt: skip
from tests.toylake import event

NIGHT = 20_000 * DAY_MS
CONSTANTS = FeatureConstants()
WIDE = st.one_of(st.integers(0, 300), st.integers(-(2**63), 2**63 - 1))


def _named(table: Listens | Tiles | Days) -> list[tuple[str, np.ndarray]]:
    return list(table._asdict().items())


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """Any tables whose flags are flags: numbers of every size, below 0 too, as a skew may leave them."""
    found = room(*(draw(st.integers(0, 3)) for _ in range(3)))
    for name, column in [*_named(found.listens), *_named(found.tiles), *_named(found.days)]:
        top = {"kind": 1, "replay": 1, "device": 7}.get(name)
        values = st.integers(0, top) if top else st.floats(allow_nan=False) if column.dtype == np.float64 else WIDE
        if name == "tenths":
            values = st.integers(0, 2**40)
        column.flat[:] = [draw(values) for _ in range(column.size)]
    for name in ("listens", "ms", "duration"):
        getattr(found.tiles, name)[found.tiles.kind == 0] = 0
    found.listens.duration[found.listens.duration < 0] = 0
    return found


@settings(max_examples=150, deadline=None)
@given(tables())
def test_every_state_comes_back_from_its_bytes(state: Tables) -> None:
    back = tables_of(state_of(state))
    for table, found in zip(state, back, strict=True):
        for column, again in zip(table, found, strict=True):
            np.testing.assert_array_equal(column, again)


def counted(states: States, *listens: tuple[int, dict[str, object]]) -> list[str]:
    """Count listens of Ann, each to a song of its own unless it says otherwise."""
    events = [event("ann", f"song-{ts}", ts, **fields) for ts, fields in listens]
    return states.absorb(Arrivals.of_records(events, states.items), CONSTANTS)


def test_a_repeat_of_an_instant_and_an_id_counts_once_however_often_it_comes() -> None:
    states = States()
    assert counted(states, (NIGHT, {}), (NIGHT, {})) == ["ann"]
    assert counted(states, (NIGHT, {})) == []
    assert counted(states, (NIGHT, {"event_id": "another"})) == ["ann"]
    assert len(tables_of(states.listeners["ann"]).listens.ts) == 2


def test_a_late_play_makes_the_later_one_a_replay_and_not_itself() -> None:
    states = States()
    counted(states, (NIGHT + 5, {"item_id": "song"}), (NIGHT, {"item_id": "song"}))
    assert tables_of(states.listeners["ann"]).listens.replay.tolist() == [0, 1]


def test_days_behind_the_horizon_become_tiles_and_nothing_is_lost() -> None:
    states = States()
    old = NIGHT - (SINGLES_DAYS + 1) * DAY_MS
    podcast = {"kind": "podcast", "item_id": "episode", "ms_played": 90_000, "duration_ms": 400_000}
    counted(
        states, (old, {"item_id": "song"}), (old + 1, {"item_id": "song"}), (old + 2, podcast), (old + 3, podcast), (NIGHT, {})
    )
    assert states.close_days(NIGHT, CONSTANTS) == ["ann"]
    found = tables_of(states.listeners["ann"])
    assert found.listens.ts.tolist() == [NIGHT]
    assert sorted(zip(found.tiles.kind.tolist(), found.tiles.tenths.tolist(), found.tiles.ms.tolist(), strict=True)) == [
        (0, 9, 0),
        (1, 5, 180_000),
    ]
    assert found.days.sums[:, [LISTENS, MUSIC_LISTENS, REPLAYS]].tolist() == [[4, 2, 1]]
    assert states.close_days(NIGHT, CONSTANTS) == []


def test_ids_are_kept_as_long_as_a_repeat_may_come_and_no_longer() -> None:
    states = States()
    counted(states, (NIGHT - LATENESS_MS - 1, {}), (NIGHT - LATENESS_MS, {}))
    states.close_days(NIGHT, CONSTANTS)
    assert (tables_of(states.listeners["ann"]).listens.id != 0).tolist() == [False, True]


def test_whom_nothing_is_left_of_is_forgotten() -> None:
    states = States()
    counted(states, (NIGHT, {}))
    assert states.close_days(NIGHT + (TILES_DAYS + 1) * DAY_MS, CONSTANTS) == ["ann"]
    assert states.listeners == {}


def test_a_state_of_the_first_version_is_read_as_one_of_today() -> None:
    listens, tiles, days = np.zeros(1, migration._LISTEN), np.zeros(2, migration._TILE), np.zeros(1, migration._DAY)
    listens["ts"], listens["id"], listens["duration"], listens["utc_offset"] = NIGHT, 2**62, -1, -480
    tiles["kind"], tiles["tenths"], tiles["listens"], tiles["ms"], tiles["duration"] = (
        [0, 1],
        [5, 9],
        [2, 3],
        70_000,
        [-1, 80_000],
    )
    days["day"], days["last_ts"], days["decayed"], days["calendar"] = 19_980, 19_980 * DAY_MS + 7, 0.5, 2
    old = struct.pack("<BIII", 1, 1, 2, 1) + listens.tobytes() + tiles.tobytes() + days.tobytes()
    found = tables_of(current(old))
    assert current(current(old)) == current(old)
    assert (found.listens.ts[0], found.listens.id[0], found.listens.duration[0], found.listens.utc_offset[0]) == (
        NIGHT,
        2**62,
        0,
        -480,
    )
    assert (found.tiles.tenths.tolist(), found.tiles.listens.tolist(), found.tiles.duration.tolist()) == (
        [5, 9],
        [0, 3],
        [0, 80_000],
    )
    assert (found.days.day[0], found.days.last_ts[0], found.days.shares[0, DECAYED]) == (19_980, 19_980 * DAY_MS + 7, 0.5)


def test_a_state_of_a_later_version_is_refused() -> None:
    with pytest.raises(InfrastructureError, match=f"version {STATE_VERSION + 1}, this program reads up to {STATE_VERSION}"):
        current(bytes([STATE_VERSION + 1, 0, 0, 0]))


def test_the_tables_have_the_columns_that_their_bytes_have_places_for() -> None:
    assert (len(Listens._fields), len(Tiles._fields), len(Days._fields)) == (9, 7, 5)
