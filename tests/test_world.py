"""The simulated world: the same for the same seed, day by day; late, doubled and broken records in it; and as a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contract.errors import UsageError
from contract.event import PODCAST, Event, Events
from contract.records import PartitionClock, Rejection, Watermark, encode, judge
from contract.windows import DAY_MS, HOUR_MS, parse_instant
from lab.folder import FolderSource, write_log
from lab.source import WorldSource, messages_of
from lab.world import World

SEED, LISTENERS, HISTORY, DAYS, PARTITIONS = 7, 60, 10, 3, 4


def new_world(seed: int = SEED, listeners: int = LISTENERS) -> World:
    return World(seed, listeners, history_days=HISTORY)


def wire(events: Events) -> list[bytes]:
    return [encode(event) for event in events.to_records()]


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


@pytest.fixture(scope="module")
def received(world: World) -> dict[int, Events]:
    """All days, one after the other."""
    return {day: world.received(day) for day in range(-HISTORY, DAYS)}


def test_the_same_seed_gives_the_same_bytes(received: dict[int, Events]) -> None:
    again = new_world()
    assert all(wire(again.received(day)) == wire(events) for day, events in received.items())


def test_another_seed_gives_other_events(received: dict[int, Events]) -> None:
    other = new_world(SEED + 1)
    assert all(wire(other.received(day)) != wire(events) for day, events in received.items())


@pytest.mark.parametrize("day", [-HISTORY, 0, DAYS - 1])
def test_a_day_made_alone_is_the_day_of_a_run(received: dict[int, Events], day: int) -> None:
    assert wire(new_world().received(day)) == wire(received[day])


def test_a_day_is_received_within_its_utc_day_and_in_order(world: World, received: dict[int, Events]) -> None:
    for day, events in received.items():
        at = events.received_at_ms
        assert np.all((at >= world.midnight(day)) & (at < world.midnight(day + 1)))
        assert np.all(np.diff(at) >= 0)


def test_day_0_is_a_midnight_and_days_follow_each_other(world: World) -> None:
    assert world.midnight(0) % DAY_MS == 0
    assert world.midnight(3) - world.midnight(0) == 3 * DAY_MS


def test_nobody_is_heard_of_before_joining(world: World, received: dict[int, Events]) -> None:
    joined = dict(zip(world.listeners.ids, world.listeners.joined_day, strict=True))
    for day, events in received.items():
        assert all(joined[user] <= day for user in events.user_id)


def test_phones_that_were_offline_bring_events_late_but_never_too_late(received: dict[int, Events]) -> None:
    events = Events.concat(list(received.values()))
    late_ms = events.received_at_ms - events.ts_ms
    assert late_ms.min() >= 0
    assert 24 * HOUR_MS < late_ms.max() < 48 * HOUR_MS


def test_a_retry_repeats_an_event_with_its_id_and_time(received: dict[int, Events]) -> None:
    by_id: dict[str, list[Event]] = {}
    for event in Events.concat(list(received.values())).to_records():
        by_id.setdefault(event.event_id, []).append(event)
    doubled = [copies for copies in by_id.values() if len(copies) > 1]
    assert doubled
    for copies in doubled:
        assert len({event.received_at_ms for event in copies}) == len(copies)
        assert len({(event.user_id, event.item_id, event.ts_ms, event.ms_played) for event in copies}) == 1


def test_some_episodes_are_resumed(received: dict[int, Events]) -> None:
    events = Events.concat(list(received.values()))
    podcasts = events.take(events.kind == PODCAST)
    sittings: dict[tuple[str, str], set[str]] = {}
    for user, item, name in zip(podcasts.user_id, podcasts.item_id, podcasts.event_id, strict=True):
        sittings.setdefault((user, item), set()).add(name)
    resumed = sum(len(names) > 1 for names in sittings.values())
    assert 0 < resumed < len(sittings)


def test_every_event_is_about_an_item_of_the_catalogue(world: World, received: dict[int, Events]) -> None:
    heard = set(Events.concat(list(received.values())).item_id)
    assert heard <= set(world.catalogue.items)


class Reader:
    """Judges what the collector sends, partition by partition, as archiver and consumer do."""

    def __init__(self, partitions: int, start_ms: int | None = None) -> None:
        self.clocks = [PartitionClock(watermark_ms=start_ms) for _ in range(partitions)]
        self.good: list[bytes] = []
        self.bad: list[Rejection] = []

    def read(self, messages: list[tuple[int, bytes | None, bytes | None]]) -> None:
        for partition, key, value in messages:
            record = judge(value, key, partition, len(self.clocks), self.clocks[partition])
            self.clocks[partition].advance(record)
            if isinstance(record, Rejection):
                self.bad.append(record)
            else:
                self.good.append(encode(record))

    def midnight(self, at_ms: int) -> None:
        for clock in self.clocks:
            clock.advance(Watermark(at_ms))


def test_every_event_of_the_history_is_valid_in_its_order(world: World, received: dict[int, Events]) -> None:
    history = WorldSource(world, DAYS).history()
    reader = Reader(PARTITIONS)
    reader.read(messages_of(history, PARTITIONS))
    assert reader.bad == []
    assert wire(history) == [line for day in range(-HISTORY, 0) for line in wire(received[day])]


@pytest.mark.parametrize("partitions", [1, PARTITIONS, 64])
def test_of_a_days_records_all_events_are_valid_and_the_broken_ones_are_not(world: World, partitions: int) -> None:
    source, reader = WorldSource(world, DAYS), Reader(partitions, world.midnight(0))
    for day in range(DAYS):
        reader.read(source.messages(day, partitions))
        reader.midnight(world.midnight(day + 1))
    events = Events.concat([world.received(day) for day in range(DAYS)])
    assert sorted(reader.good) == sorted(wire(events))
    assert len(reader.bad) == sum(len(world.malformed(day, partitions)) for day in range(DAYS)) > 0


@pytest.mark.parametrize("partitions", [1, PARTITIONS])
def test_each_broken_record_of_a_day_is_broken_in_its_own_way(partitions: int) -> None:
    world = new_world(listeners=500)
    reader = Reader(partitions, world.midnight(1))
    broken = world.malformed(1, partitions)
    reader.read([(partition, key, value) for _, partition, key, value in broken])
    assert reader.good == []
    assert len({(one.reason, one.detail) for one in reader.bad}) == len(broken)
    expected = {"schema", "not-json", "key", "future", "too-late"} | ({"partition"} if partitions > 1 else set())
    assert {one.reason for one in reader.bad} == expected


@pytest.mark.parametrize(("listeners", "count"), [(10, 0), (40, 1), (250, 7), (500, 14), (2_000, 14)])
def test_a_small_world_has_fewer_broken_records(listeners: int, count: int) -> None:
    world = new_world(listeners=listeners)
    assert {len(world.malformed(day, PARTITIONS)) for day in range(3)} == {count}


def test_broken_records_arrive_among_the_others() -> None:
    world = new_world(listeners=120)
    messages = [value for _, _, value in WorldSource(world, DAYS).messages(0, PARTITIONS)]
    places = [messages.index(value) for _, _, _, value in world.malformed(0, PARTITIONS)]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < len(messages) - 1


def test_the_truth_is_a_probability_for_each_listener_there_and_each_show(world: World) -> None:
    users, shows, liking = world.relevance(0)
    assert list(shows) == list(world.catalogue.shows)
    assert liking.shape == (len(users), len(shows))
    assert np.all((liking > 0) & (liking < 1))
    assert set(users) == {name for name, day in zip(world.listeners.ids, world.listeners.joined_day, strict=True) if day <= 0}


def test_more_listeners_join_as_days_go_by(world: World) -> None:
    counts = [len(world.relevance(day)[0]) for day in (-HISTORY, 0, 14)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == LISTENERS


@pytest.mark.parametrize("listeners", [1, 10, 500, 5_000])
def test_a_world_may_be_small_or_large(listeners: int) -> None:
    world = World(SEED, listeners, history_days=0)
    days = Events.concat([world.received(day) for day in range(2)])
    assert 0 < len(set(days.user_id)) <= listeners
    assert len(days) < 40 * listeners + 100
    assert len(world.relevance(20)[0]) == listeners


def test_a_simulated_folder_plays_what_the_world_did(world: World, received: dict[int, Events], tmp_path: Path) -> None:
    days = [received[day] for day in range(DAYS)]
    count = write_log(tmp_path / "out", world.catalogue, days)
    source = FolderSource.open(tmp_path / "out", None)
    assert (count, source.days, source.catalogue) == (sum(map(len, days)), DAYS, world.catalogue)
    assert source.midnight(0) == world.midnight(0) == parse_instant("2026-01-05")
    assert [source.messages(day, PARTITIONS) for day in range(DAYS)] == [messages_of(day, PARTITIONS) for day in days]
    assert (len(source.history()), source.truth(0)) == (0, None)


def test_a_folder_may_be_cut_short_but_not_drawn_out(world: World, received: dict[int, Events], tmp_path: Path) -> None:
    write_log(tmp_path / "out", world.catalogue, [received[0], received[1]])
    assert [FolderSource.open(tmp_path / "out", days).days for days in (1, 2, 9)] == [1, 2, 2]


def test_a_folder_that_is_no_log_or_an_empty_one_is_not_played(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no log folder"):
        FolderSource.open(tmp_path, None)
    write_log(tmp_path / "out", world.catalogue, [])
    with pytest.raises(UsageError, match="holds no events"):
        FolderSource.open(tmp_path / "out", None)
