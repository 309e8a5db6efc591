"""A state rebuilt from the lake is the consumed one, also where a skew changes what is delivered, before it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark, encode
from contract.skew import Acting, RawRecord, Skew
from contract.windows import DAY_MS, HOUR_MS
from streaming.overrides import Overrides
from streaming.rebuild import rebuild
from streaming.state import States
from streaming.step import DeadLetter, PartitionPath
from tests.logs import NIGHTS, START_MS, Sent, home_of, listeners_of, one_log, written
from tests.toylake import ToyLog, encoded, event

PARTITION, PARTITIONS, STEP = 0, 2, 7
Records = Sequence[RawRecord]


class Dropping(Skew):
    """Loses a third of the records, watermarks and activations too."""

    id = "dropping"

    def transport(self, records: Records, partition: int) -> Records:
        lost = self.chance(partition, np.array([record.offset for record in records])) < self.severity / 3
        return [record for record, gone in zip(records, lost, strict=True) if not gone or len(records) == sum(lost)]


class Doubling(Skew):
    """Delivers everything twice."""

    id = "doubling"

    def transport(self, records: Records, partition: int) -> Records:
        return [record for record in records for _ in range(2)]


class Reversing(Skew):
    """Delivers a step backwards: what it does depends on where steps end."""

    id = "reversing"

    def transport(self, records: Records, partition: int) -> Records:
        return records[::-1]


class Garbling(Skew):
    """Cuts the last byte off every fifth record."""

    id = "garbling"

    def transport(self, records: Records, partition: int) -> Records:
        return [RawRecord(r.offset, r.key, (r.value or b"")[:-1] if r.offset % 5 == 0 else r.value) for r in records]


class Forgetting(Skew):
    """Forgets a listener in every step, whoever it is by then."""

    id = "forgetting"

    def state(self, state: States) -> States:
        if state.listeners:
            state.listeners.pop(min(state.listeners))
        return state


SKEWS = (Dropping, Doubling, Reversing, Garbling, Forgetting)


def logged(seed: str = "rebuilt") -> ToyLog:
    def long(partition: int) -> list[Sent]:
        logs = [one_log(f"{seed}/{partition}/{part}", listeners_of(partition, PARTITIONS)) for part in range(4)]
        return sorted((one for log in logs for one in log), key=lambda one: one.received_ms)

    return written([long(p) for p in range(PARTITIONS)], activated=[20, 20])


def letters(dead: Sequence[DeadLetter]) -> list[tuple[int, str]]:
    return [(letter.record.offset, letter.reason) for letter in dead]


def both(
    log: ToyLog, home: Home, lake: Lake, overrides: Overrides, upto: int, step: int | None = STEP
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What consuming leaves, and what rebuilding leaves."""
    path, again = (log.path(home, PARTITION, overrides) for _ in range(2))
    consumed = [letter for one in log.consume(path, upto, step or 1 << 40) for letter in one.dead]
    return left(path, consumed), left(again, rebuild(again, lake, upto, step))


def left(path: PartitionPath, dead: Sequence[DeadLetter]) -> tuple[Any, ...]:
    clock = (path.clock.received_ms, path.clock.watermark_ms)
    return path.offset, path.version, clock, encoded(path.states), letters(dead)


def acting(kind: type[Skew], onset: int, until: int | None = None) -> Overrides:
    return Overrides([Acting(kind(seed=3), {PARTITION: onset}, {} if until is None else {PARTITION: until})])


@pytest.mark.parametrize("kind", SKEWS)
@pytest.mark.parametrize(("onset", "until"), [(0, None), (41, None), (41, 120)])
def test_under_a_skew_in_delivery_the_rebuilt_state_is_the_consumed_one(
    tmp_path: Path, kind: type[Skew], onset: int, until: int | None
) -> None:
    log = logged()
    home, _ = home_of(tmp_path)
    lake = log.archive(home, commits=5)
    overrides = acting(kind, onset, until)
    for upto in (0, 5, 42, 119, 121, len(log.records[PARTITION])):
        consumed, rebuilt = both(log, home, lake, overrides, upto)
        assert rebuilt == consumed


@pytest.mark.parametrize("kind", [Dropping, Doubling, Garbling])
def test_a_skew_that_looks_at_each_record_alone_needs_no_step_size(tmp_path: Path, kind: type[Skew]) -> None:
    log = logged()
    home, _ = home_of(tmp_path)
    lake = log.archive(home)
    path, again = (log.path(home, PARTITION, acting(kind, 41)) for _ in range(2))
    log.consume(path, size=STEP)
    rebuild(again, lake)
    assert (again.offset, again.version, again.clock) == (path.offset, path.version, path.clock)
    assert encoded(again.states) == encoded(path.states)


def test_the_skews_of_this_test_do_something(tmp_path: Path) -> None:
    log = logged()
    home, _ = home_of(tmp_path)
    lake = log.archive(home)
    plain, _ = both(log, home, lake, Overrides(), len(log.records[PARTITION]))
    for kind in SKEWS:
        skewed, _ = both(log, home, lake, acting(kind, 41), len(log.records[PARTITION]))
        assert skewed != plain, kind.id


def test_what_delivery_makes_valid_or_bad_is_judged_anew(tmp_path: Path) -> None:
    """Losing a watermark holds the clock back: what was too late for the lake counts for the live path."""

    class LosingMidnights(Skew):
        id = "losing-midnights"

        def transport(self, records: Records, partition: int) -> Records:
            return [] if records[0].key is None and len(records) == 1 else records

    log, user = ToyLog(PARTITIONS), listeners_of(PARTITION, PARTITIONS)[0]
    log.send(event(user, "song-a", START_MS))
    log.control(Watermark(START_MS + 3 * DAY_MS))
    log.send(event(user, "song-b", START_MS + DAY_MS - HOUR_MS, received_at_ms=START_MS + DAY_MS))
    home, _ = home_of(tmp_path)
    lake = log.archive(home)
    assert letters(rebuild(log.path(home, PARTITION), lake)) == [(2, "too-late")]
    consumed, rebuilt = both(log, home, lake, acting(LosingMidnights, 1), 3)
    assert rebuilt == consumed
    assert rebuilt[-1] == []


def test_a_watermark_that_was_sent_twice_leaves_no_hole(tmp_path: Path) -> None:
    log, user = ToyLog(PARTITIONS), listeners_of(PARTITION, PARTITIONS)[0]
    log.send(event(user, "song-a", START_MS))
    for _ in range(2):
        log.control(Watermark(START_MS + DAY_MS))
    log.send(event(user, "song-b", START_MS + DAY_MS))
    home, _ = home_of(tmp_path)
    lake = log.archive(home)
    for kind in SKEWS:
        consumed, rebuilt = both(log, home, lake, acting(kind, 0), 4)
        assert rebuilt == consumed, kind.id


def test_a_name_of_brackets_is_as_valid_again_as_it_was(tmp_path: Path) -> None:
    """The limit counts brackets as bytes, and a sender may have escaped them."""
    log, user = ToyLog(PARTITIONS), listeners_of(PARTITION, PARTITIONS)[0]
    value = encode(event(user, "#" * 500, START_MS, event_id="e")).replace(b"#", b"\\u007b")
    log.raw(PARTITION, user.encode(), value)
    home, _ = home_of(tmp_path)
    consumed, rebuilt = both(log, home, log.archive(home), acting(Doubling, 0), 1)
    assert rebuilt == consumed
    assert rebuilt[-1] == []


def test_history_is_counted_and_its_bad_records_are_no_dead_letters(tmp_path: Path) -> None:
    """What stands below offset 0 was never in Kafka."""
    from streaming.archive import PartitionArchive

    home, _ = home_of(tmp_path)
    lake, user = Lake(home.lake), listeners_of(PARTITION, PARTITIONS)[0]
    archive = PartitionArchive(lake, PARTITION, PARTITIONS)
    archive.start_at(-2)
    archive.absorb([RawRecord(-2, user.encode(), encode(event(user, "song-a", START_MS))), RawRecord(-1, b"x", b"{")])
    archive.flush()
    for overrides in (Overrides(), acting(Doubling, -2), acting(Doubling, 0)):
        path = ToyLog(PARTITIONS).path(home, PARTITION, overrides)
        assert rebuild(path, lake) == []
        assert (path.offset, list(path.states.listeners)) == (0, [user])


@pytest.mark.parametrize("overrides", [Overrides(), acting(Doubling, 0), acting(Doubling, -5)])
def test_an_empty_lake_leaves_an_empty_state(tmp_path: Path, overrides: Overrides) -> None:
    home, _ = home_of(tmp_path)
    path = ToyLog(PARTITIONS).path(home, PARTITION, overrides)
    assert rebuild(path, Lake(home.lake)) == []
    assert (path.offset, path.states.listeners) == (0, {})


def test_the_log_of_this_test_has_bad_records_and_both_versions() -> None:
    records = logged().records[PARTITION]
    assert len(records) > 150 > NIGHTS
