"""Faults that one member meets, by the test kit: poison, late events, holes, a zombie, a lost store, a log cut short."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest

from contract.errors import InfrastructureError
from contract.home import Home
from contract.keys import DEAD_LETTERS
from contract.records import REASONS, Watermark, encode
from contract.skew import RawRecord
from contract.windows import DAY_MS, HOUR_MS
from streaming.member import Member
from streaming.outbox import topic_of
from streaming.reach import take_over
from streaming.store import Fenced, MemoryStore, Store
from streaming.testing import CRASH, Entry, Raw, play
from streaming.testing.script import records_of
from tests.logs import START_MS, home_of, listeners_of
from tests.toylake import ToyLog, event

PARTITION, PARTITIONS = 0, 2
ANN, BOB, CEM = listeners_of(PARTITION, PARTITIONS)
ELSEWHERE = listeners_of(1, PARTITIONS)[0]
LAST_MS = START_MS + 3 * DAY_MS


def listen(user: str, hour: int, **fields: object) -> Entry:
    return event(user, "song-a", START_MS + hour * HOUR_MS, **fields)


def sent(entry: Entry) -> bytes:
    return records_of([entry])[0].value or b""


GOOD: list[Entry] = [listen(ANN, 1), listen(BOB, 2), Watermark(START_MS + DAY_MS), listen(ANN, 26), Watermark(LAST_MS)]
POISON: dict[str, list[Entry]] = {
    "not-json": [Raw(ANN.encode(), None), Raw(ANN.encode(), b""), Raw(ANN.encode(), b"\xff\xfe"), Raw(ANN.encode(), b"nonsense")],
    "nested": [Raw(ANN.encode(), b"[" * 100_000)],
    "schema": [
        Raw(ANN.encode(), b"{}"),
        Raw(ANN.encode(), b"null"),
        Raw(ANN.encode(), sent(listen(ANN, 1)).replace(b'"ms_played":100000', b'"ms_played":1e5')),
        Raw(ANN.encode(), sent(listen(ANN, 1)).replace(b'"ms_played":100000', b'"ms_played":' + b"9" * 5_000)),
        Raw(ANN.encode(), sent(listen("", 1))),
    ],
    "control": [Raw(None, b"{}"), Raw(None, b'{"control":"watermark","at_ms":1}'), Raw(None, b'{"control":"reboot"}')],
    "key": [Raw(b"\xff", sent(listen(ANN, 1))), Raw(BOB.encode(), sent(listen(ANN, 1)))],
    "partition": [Raw(ELSEWHERE.encode(), sent(listen(ELSEWHERE, 1)))],
    "future": [listen(CEM, 3, received_at_ms=START_MS), listen(CEM, 24 * 40)],
    "too-late": [listen(CEM, 1, received_at_ms=START_MS + 50 * HOUR_MS, event_id=f"late-{i}") for i in range(2)],
}


def mixed(reason: str) -> list[Entry]:
    """The good records with bad ones before the last of them; what is too late is so behind a later listen."""
    later = [listen(ANN, 50)] if reason == "too-late" else []
    return [*GOOD[:4], *later, *POISON[reason], *GOOD[4:]]


def lived(script: list[Entry], folder: Path, step: int | None = 2) -> tuple[Home, MemoryStore]:
    home, store = home_of(folder)[0], MemoryStore()
    play(script, PARTITION, store, lambda over: Member(home, over, PARTITIONS, step))
    return home, store


def letters(store: Store) -> list[tuple[int, str]]:
    """The dead letters that wait to be published: offset and reason."""
    found = [topic_of(entry) for _, entry in store.outbox(PARTITION, 10_000)]
    return [(one["offset"], one["reason"]) for topic, value in found if topic == DEAD_LETTERS and (one := orjson.loads(value))]


def test_every_reason_is_met_here() -> None:
    assert set(POISON) == set(REASONS)


@pytest.mark.parametrize("reason", POISON)
@pytest.mark.parametrize("step", [None, 1, 4])
def test_poison_becomes_dead_letters_and_touches_nobody(tmp_path: Path, reason: str, step: int | None) -> None:
    script = mixed(reason)
    good = [entry for entry in script if entry not in POISON[reason]]
    _, calm = lived(good, tmp_path / "calm", step)
    _, store = lived(script, tmp_path / "poisoned", step)
    assert store.claim(PARTITION).states == calm.claim(PARTITION).states
    assert Counter(why for _, why in letters(store)) == {reason: len(POISON[reason])}
    assert [offset for offset, _ in letters(store)] == [i for i, entry in enumerate(script) if entry in POISON[reason]]
    assert letters(calm) == []


@pytest.mark.parametrize("reason", POISON)
def test_whoever_dies_over_poison_has_a_successor_that_goes_on_behind_it(tmp_path: Path, reason: str) -> None:
    _, calm = lived(mixed(reason), tmp_path / "calm")
    _, store = lived([part for entry in mixed(reason) for part in (entry, CRASH)], tmp_path / "dying")
    assert letters(store) == letters(calm)
    assert store.claim(PARTITION).states == calm.claim(PARTITION).states


def test_a_hole_in_the_log_is_not_jumped_over(tmp_path: Path) -> None:
    home, store = home_of(tmp_path)[0], MemoryStore()
    member = Member(home, store, PARTITIONS, 1)
    member.take_over(PARTITION)
    records = records_of(GOOD)
    member.feed(PARTITION, records[:1])
    with pytest.raises(InfrastructureError, match="goes on at offset 3, not 1: the records between are missing"):
        member.feed(PARTITION, records[3:])
    meta = store.claim(PARTITION).meta
    assert meta is not None
    assert meta.offset == 1


def test_a_zombie_is_refused_whatever_it_does_and_its_successor_never_notices(tmp_path: Path) -> None:
    home, store = home_of(tmp_path / "two")[0], MemoryStore()
    zombie, successor = (Member(home, store, PARTITIONS, 1) for _ in range(2))
    records = records_of(GOOD)
    zombie.take_over(PARTITION)
    zombie.feed(PARTITION, records[:1])
    successor.take_over(PARTITION)
    for at, record in enumerate(records[1:], 1):
        if PARTITION in zombie.owned():
            with pytest.raises(Fenced, match=r"has another owner|was thrown away"):
                zombie.feed(PARTITION, records[at:])
        successor.feed(PARTITION, [record])
    _, calm = lived(GOOD, tmp_path / "one", step=1)
    assert successor.owned() == [PARTITION]
    assert zombie.owned() == []
    assert (store.claim(PARTITION).states, store.outbox(PARTITION, 99)) == (
        calm.claim(PARTITION).states,
        calm.outbox(PARTITION, 99),
    )


def archived(home: Home, script: list[Entry], upto: int) -> ToyLog:
    log = ToyLog(PARTITIONS)
    for record in records_of(script)[:upto]:
        log.raw(PARTITION, record.key, record.value)
    log.archive(home)
    return log


def test_no_dead_letter_is_lost_with_the_store(tmp_path: Path) -> None:
    script = mixed("schema")
    home, store = lived(script, tmp_path)
    archived(home, script, 6)
    again = MemoryStore()
    member = Member(home, again, PARTITIONS, 2)
    at = member.take_over(PARTITION)
    member.feed(PARTITION, records_of(script)[at:])
    assert at == 6
    assert letters(again) == letters(store)
    assert again.claim(PARTITION).states == store.claim(PARTITION).states


def test_after_a_lost_store_everybody_has_a_row_again(tmp_path: Path) -> None:
    home, store = lived(GOOD, tmp_path)
    archived(home, GOOD, len(GOOD))
    again = MemoryStore()
    Member(home, again, PARTITIONS, 2).take_over(PARTITION)
    assert {user: again.row(PARTITION, user) is not None for user in (ANN, BOB, CEM)} == {ANN: True, BOB: True, CEM: False}
    assert store.row(PARTITION, ANN) is not None


def test_what_kafka_deleted_is_read_from_the_lake(tmp_path: Path) -> None:
    script = mixed("not-json")
    home, calm = lived(script, tmp_path)
    archived(home, script, 7)
    store = MemoryStore()
    early = Member(home, store, PARTITIONS, 1)
    early.take_over(PARTITION)
    early.give_up(PARTITION)  # the store knows the lake's end: 7
    for first in (7, 5):
        member = Member(home, store, PARTITIONS, 1)
        assert take_over(member, store, PARTITION, first, len(script)) == 7
    member.feed(PARTITION, records_of(script)[7:])
    assert store.claim(PARTITION).states == calm.claim(PARTITION).states


def behind(folder: Path, upto: int) -> tuple[Home, MemoryStore]:
    """A store that stands at offset 2, and a lake up to another one, of a log with all good records."""
    home, store = lived(GOOD[:2], folder, step=1)
    archived(home, GOOD, upto)
    return home, store


def test_a_store_behind_kafkas_retention_is_rebuilt(tmp_path: Path) -> None:
    home, store = behind(tmp_path / "behind", upto=4)
    member = Member(home, store, PARTITIONS, 1)
    assert take_over(member, store, PARTITION, 3, len(GOOD)) == 4
    member.feed(PARTITION, records_of(GOOD)[4:])
    _, calm = lived(GOOD, tmp_path / "calm", step=1)
    assert store.claim(PARTITION).states == calm.claim(PARTITION).states
    assert store.claim(PARTITION).meta == calm.claim(PARTITION).meta


@pytest.mark.parametrize(
    ("first", "end", "why"),
    [
        (4, 5, "cannot go on at offset 2: Kafka's log begins at 4, the lake ends at 3. Bring offsets 3 to 3 into the lake"),
        (0, 1, "cannot go on at offset 2: Kafka's log ends at 1"),
    ],
)
def test_where_the_lake_lacks_it_too_the_member_stops_and_harms_nothing(tmp_path: Path, first: int, end: int, why: str) -> None:
    home, store = behind(tmp_path, upto=3)
    before = store.claim(PARTITION)
    member = Member(home, store, PARTITIONS, 1)
    with pytest.raises(InfrastructureError, match=why) as caught:
        take_over(member, store, PARTITION, first, end)
    assert "\n" not in str(caught.value)
    assert member.owned() == []
    after = store.claim(PARTITION)
    assert (after.meta, after.items, after.states) == (before.meta, before.items, before.states)


def test_the_scripts_of_this_test_are_what_they_seem() -> None:
    records = records_of(mixed("too-late"))
    assert [record.offset for record in records] == list(range(len(records)))
    assert records[-1] == RawRecord(len(records) - 1, None, encode(Watermark(LAST_MS)))
