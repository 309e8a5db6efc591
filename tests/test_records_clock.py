"""Which partition a record belongs to, what the partition's clock makes of it, and that no content stops the validator."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.event import DEVICES, Event
from contract.records import REASONS, Activation, PartitionClock, Record, Rejection, Watermark, encode, judge, partition_of
from contract.windows import DAY_MS, HOUR_MS
from tests.toylake import event

NOON = 1_767_873_600_000  # 2026-01-08T12:00:00Z
TWO_DAYS = 48 * HOUR_MS
RULES = settings(deadline=None, derandomize=True, max_examples=300)


def judged(received_ms: int, ts_ms: int | None = None, *, clock: PartitionClock) -> object:
    """The reason against an event of the only partition, or None where it is good."""
    sent = event("ann", "song", received_ms if ts_ms is None else ts_ms, received_at_ms=received_ms)
    record = judge(encode(sent), b"ann", 0, 1, clock)
    return record.reason if isinstance(record, Rejection) else None


def reference_murmur2(data: bytes) -> int:
    """MurmurHash2 of 32 bits (Appleby 2008) with the seed of Kafka's default partitioner."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        h = h * m & mask ^ (k ^ k >> 24) * m & mask
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


# -- partition


@pytest.mark.parametrize(
    ("key", "signed"),
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536), ("abc", 479470107)],
)
def test_the_hash_is_that_of_kafkas_own_tests(key: str, signed: int) -> None:
    assert reference_murmur2(key.encode()) == signed % 2**32
    assert partition_of(key, 2**31) == signed % 2**31


@RULES
@given(st.text(max_size=12), st.integers(1, 64))
def test_the_partition_is_the_hash_of_the_utf8_key_without_its_sign_modulo_the_count(user: str, partitions: int) -> None:
    assert partition_of(user, partitions) == (reference_murmur2(user.encode()) & 0x7FFFFFFF) % partitions


def test_a_record_is_good_in_its_keys_partition_alone() -> None:
    sent = event("21", "song", NOON)  # (-973932308 mod 2^31) mod 8 = 1173551340 mod 8 = 4
    verdicts = [judge(encode(sent), b"21", partition, 8, PartitionClock()) for partition in range(8)]
    assert [i for i, record in enumerate(verdicts) if record == sent] == [4]
    assert [record.reason for i, record in enumerate(verdicts) if i != 4] == ["partition"] * 7


# -- future and too late


def test_the_first_record_is_good_whatever_it_says() -> None:
    assert judged(0, clock=PartitionClock()) is None
    assert judged(NOON + 1_000 * DAY_MS, clock=PartitionClock()) is None
    assert judged(NOON, ts_ms=NOON - 1_000 * DAY_MS, clock=PartitionClock()) is None


@pytest.mark.parametrize("clock", [PartitionClock(), PartitionClock(NOON)], ids=["first record", "later record"])
def test_no_listen_ends_after_it_was_received(clock: PartitionClock) -> None:
    assert judged(NOON, ts_ms=NOON, clock=clock) is None
    assert judged(NOON, ts_ms=NOON + 1, clock=clock) == "future"


def test_received_two_days_ahead_of_the_clock_is_good_and_a_millisecond_more_is_future() -> None:
    clock = PartitionClock(received_ms=NOON)
    assert judged(NOON + TWO_DAYS, clock=clock) is None
    assert judged(NOON + TWO_DAYS + 1, clock=clock) == "future"


def test_ended_two_days_behind_the_clock_is_good_and_a_millisecond_more_is_too_late() -> None:
    clock = PartitionClock(received_ms=NOON)
    assert judged(NOON, ts_ms=NOON - TWO_DAYS, clock=clock) is None
    assert judged(NOON, ts_ms=NOON - TWO_DAYS - 1, clock=clock) == "too-late"


def test_lateness_is_measured_before_the_record_itself_moves_the_clock() -> None:
    clock = PartitionClock(received_ms=NOON)
    assert judged(NOON + TWO_DAYS, ts_ms=NOON - TWO_DAYS, clock=clock) is None


def test_lateness_and_future_are_measured_from_the_later_of_receipt_and_watermark() -> None:
    clock = PartitionClock(received_ms=NOON, watermark_ms=NOON + DAY_MS // 2)
    assert judged(NOON, ts_ms=NOON - DAY_MS * 3 // 2, clock=clock) is None
    assert judged(NOON, ts_ms=NOON - DAY_MS * 3 // 2 - 1, clock=clock) == "too-late"
    assert judged(NOON + DAY_MS * 5 // 2, clock=clock) is None
    assert judged(NOON + DAY_MS * 5 // 2 + 1, clock=clock) == "future"


def test_a_watermark_is_never_late() -> None:
    assert judge(encode(Watermark(0)), None, 0, 1, PartitionClock(received_ms=NOON)) == Watermark(0)


# -- the clock


def after(*records: Record) -> PartitionClock:
    clock = PartitionClock()
    for record in records:
        clock.advance(record)
    return clock


def heard(received_ms: int) -> Event:
    return event("ann", "song", received_ms - 5, received_at_ms=received_ms)


def test_a_clock_has_no_time_before_its_first_record() -> None:
    assert PartitionClock().now_ms is None


def test_the_clock_is_the_largest_receipt_and_not_the_last() -> None:
    assert after(heard(NOON), heard(NOON + 7), heard(NOON + 3)).now_ms == NOON + 7


def test_a_watermark_moves_the_clock_alone_and_beside_events() -> None:
    assert after(Watermark(2 * DAY_MS)).now_ms == 2 * DAY_MS
    assert after(heard(DAY_MS + 5), Watermark(2 * DAY_MS)).now_ms == 2 * DAY_MS
    assert after(heard(2 * DAY_MS + 5), Watermark(2 * DAY_MS)).now_ms == 2 * DAY_MS + 5


def test_a_repeated_watermark_is_not_new_and_moves_nothing() -> None:
    clock = after(Watermark(2 * DAY_MS))
    assert not clock.is_new(Watermark(2 * DAY_MS))
    assert clock.is_new(Watermark(3 * DAY_MS))
    assert after(Watermark(2 * DAY_MS), Watermark(2 * DAY_MS)) == clock


def test_a_watermark_that_goes_back_is_not_new_and_moves_nothing() -> None:
    clock = after(Watermark(2 * DAY_MS))
    assert not clock.is_new(Watermark(DAY_MS))
    assert after(Watermark(2 * DAY_MS), Watermark(DAY_MS)) == clock


def test_the_first_watermark_is_new_also_where_events_are_further() -> None:
    assert after(heard(9 * DAY_MS)).is_new(Watermark(DAY_MS))


def test_bad_records_and_activations_never_move_the_clock() -> None:
    assert after(Rejection("future", ""), Activation("2026-01-08")) == PartitionClock()
    assert after(heard(NOON), Rejection("future", ""), Activation("2026-01-08")) == after(heard(NOON))


def test_served_rows_are_as_of_the_millisecond_behind_the_last_receipt() -> None:
    assert after(heard(NOON)).as_of_ms == NOON + 1


def test_served_rows_are_never_as_of_before_the_last_watermark() -> None:
    assert after(heard(DAY_MS - 5), Watermark(DAY_MS)).as_of_ms == DAY_MS
    assert after(heard(DAY_MS - 1), Watermark(DAY_MS)).as_of_ms == DAY_MS
    assert after(heard(DAY_MS), Watermark(DAY_MS)).as_of_ms == DAY_MS + 1


# -- any content

_plain = msgspec.structs.asdict(event("ann", "song", NOON))
_any = st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text()
_json = st.recursive(_any, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
_edges = [0, 1, -1, NOON, NOON + 1, NOON - TWO_DAYS - 1, NOON + TWO_DAYS + 1, -721, 841, DAY_MS + 1, "podcast", "car", "US"]
_near = st.sampled_from(_edges)
_almost = st.dictionaries(st.sampled_from(list(_plain)), _near | _json, max_size=3).map(lambda fields: {**_plain, **fields})


def keeps_every_rule(sent: Event) -> bool:
    """Section "Time and alignment" of the design once more, for a record that was let through at noon."""
    return (
        sent.user_id == "ann"
        and sent.kind in ("music", "podcast")
        and sent.device in DEVICES
        and 0 <= sent.ts_ms <= sent.received_at_ms <= NOON + TWO_DAYS
        and sent.ts_ms >= NOON - TWO_DAYS
        and 0 <= sent.ms_played <= DAY_MS
        and (sent.duration_ms is None or sent.duration_ms > 0)
        and -720 <= sent.utc_offset_min <= 840
        and sent.schema_version == 1
    )


@RULES
@given(st.binary() | st.builds(msgspec.json.encode, _json | _almost), st.none() | st.just(b"ann") | st.binary(max_size=4))
@example(encode(Event(**_plain)), b"ann")
@example(encode(Watermark(DAY_MS)), None)
def test_any_record_is_good_by_every_rule_or_bad_for_a_known_reason(value: bytes, key: bytes | None) -> None:
    record = judge(value, key, 0, 1, PartitionClock(received_ms=NOON))
    if isinstance(record, Rejection):
        assert record.reason in REASONS
    elif key is None:
        assert isinstance(record, Watermark | Activation)
    else:
        assert isinstance(record, Event)
        assert keeps_every_rule(record)


@RULES
@given(_almost)
def test_judging_does_not_move_the_clock(fields: dict[str, object]) -> None:
    clock = PartitionClock(received_ms=NOON, watermark_ms=DAY_MS)
    judge(msgspec.json.encode(fields), b"ann", 0, 1, clock)
    assert clock == PartitionClock(received_ms=NOON, watermark_ms=DAY_MS)


def test_the_instant_behind_the_first_millisecond_of_all() -> None:
    assert PartitionClock(received_ms=0).as_of_ms == 1
