"""What makes a record bad: its form, its fields, its key and its partition."""

from __future__ import annotations

import msgspec
import pytest

from contract.event import Event
from contract.records import Activation, PartitionClock, Rejection, Watermark, encode, judge
from contract.windows import DAY_MS
from tests.toylake import event

GOOD = msgspec.structs.asdict(event("ann", "song", 1_767_830_400_000))
TEXTS = ("event_id", "user_id", "item_id", "kind", "device", "country")
NULLABLE_TEXTS = ("session_hint", "rec_id")
INTEGERS = ("ts_ms", "received_at_ms", "ms_played", "duration_ms", "utc_offset_min", "schema_version")


def verdict(value: bytes | None, key: bytes | None = b"ann", partition: int = 0, partitions: int = 1) -> object:
    """The reason of a bad record, or the record."""
    record = judge(value, key, partition, partitions, PartitionClock())
    return record.reason if isinstance(record, Rejection) else record


def with_fields(**fields: object) -> object:
    return verdict(msgspec.json.encode({**GOOD, **fields}))


def with_literal(field: str, literal: bytes) -> object:
    """The verdict with a field's value written by hand."""
    return verdict(msgspec.json.encode({**GOOD, field: msgspec.Raw(literal)}))


def test_a_good_record_is_its_event() -> None:
    assert verdict(msgspec.json.encode(GOOD)) == Event(**GOOD)


def test_white_space_and_the_order_of_fields_do_not_matter() -> None:
    turned = msgspec.json.format(msgspec.json.encode(dict(reversed(GOOD.items()))), indent=2)
    assert verdict(b"\n " + turned + b" \n") == Event(**GOOD)


NO_JSON = {
    "nothing": b"",
    "blank": b"  ",
    "word": b"hello",
    "cut off": encode(Event(**GOOD))[:-1],
    "two documents": encode(Event(**GOOD)) * 2,
    "single quotes": b"{'event_id': 'e'}",
    "not a number": b"NaN",
    "nulls": b"\x00\x00",
    "byte order mark": b"\xef\xbb\xbf" + encode(Event(**GOOD)),
    "utf-16": encode(Event(**GOOD)).decode().encode("utf-16"),
}


@pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON)
def test_a_value_that_is_no_json_is_bad(value: bytes) -> None:
    assert verdict(value) == "not-json"


def test_a_record_without_a_value_is_bad() -> None:
    assert verdict(None) == "not-json"
    assert verdict(None, key=None) == "not-json"


@pytest.mark.parametrize("value", [b"null", b"[]", b"1", b'"text"', b"true", b"{}"])
def test_json_that_is_no_event_is_bad(value: bytes) -> None:
    assert verdict(value) == "schema"


@pytest.mark.parametrize("field", GOOD)
def test_every_field_is_needed_also_where_it_may_be_null(field: str) -> None:
    assert verdict(msgspec.json.encode({name: value for name, value in GOOD.items() if name != field})) == "schema"


@pytest.mark.parametrize("field", [*NULLABLE_TEXTS, "duration_ms"])
def test_null_is_good_where_the_source_may_not_know(field: str) -> None:
    assert with_fields(**{field: None}) == Event(**{**GOOD, field: None})


@pytest.mark.parametrize("field", [f for f in TEXTS + INTEGERS if f != "duration_ms"])
def test_null_is_bad_elsewhere(field: str) -> None:
    assert with_fields(**{field: None}) == "schema"


@pytest.mark.parametrize("wrong", [7, 7.5, True, ["ann"], {"a": "ann"}], ids=repr)
@pytest.mark.parametrize("field", TEXTS + NULLABLE_TEXTS)
def test_a_text_of_another_type_is_bad(field: str, wrong: object) -> None:
    assert with_fields(**{field: wrong}) == "schema"


@pytest.mark.parametrize("literal", [b"1.0", b"1e0", b"1.5", b"true", b"false", b'"1"', b"[1]", b"{}"], ids=bytes.decode)
@pytest.mark.parametrize("field", INTEGERS)
def test_integers_are_strict(field: str, literal: bytes) -> None:
    assert with_literal(field, literal) == "schema"


def test_a_whole_number_written_as_float_is_bad() -> None:
    assert with_literal("ms_played", b"30000.0") == "schema"
    assert with_literal("ms_played", b"3e4") == "schema"
    assert with_literal("ms_played", b"30000") == Event(**{**GOOD, "ms_played": 30_000})


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, -(10**30)])
@pytest.mark.parametrize("field", INTEGERS)
def test_a_huge_integer_is_bad(field: str, number: int) -> None:
    assert with_literal(field, b"%d" % number) == "schema"


def test_an_integer_of_more_digits_than_python_reads_is_bad() -> None:
    assert with_literal("ts_ms", b"9" * 5_000) == "schema"
    assert verdict(b'{"control":"watermark","at_ms":' + b"9" * 5_000 + b"}", key=None) == "control"


@pytest.mark.parametrize("field", ["ts_ms", "received_at_ms", "ms_played", "duration_ms"])
def test_a_negative_number_is_bad(field: str) -> None:
    assert with_fields(**{field: -1}) == "schema"


def test_zero_is_good_but_for_a_duration() -> None:
    zeros = {"ms_played": 0, "ts_ms": 0, "received_at_ms": 0, "utc_offset_min": 0}
    assert with_fields(**zeros) == Event(**{**GOOD, **zeros})
    assert with_fields(duration_ms=0) == "schema"
    assert with_fields(duration_ms=1) == Event(**{**GOOD, "duration_ms": 1})


@pytest.mark.parametrize(("field", "lowest", "highest"), [("utc_offset_min", -720, 840), ("ms_played", 0, DAY_MS)])
def test_the_ends_of_a_range_are_good_and_one_beyond_is_bad(field: str, lowest: int, highest: int) -> None:
    assert isinstance(with_fields(**{field: lowest}), Event)
    assert isinstance(with_fields(**{field: highest}), Event)
    assert with_fields(**{field: lowest - 1}) == "schema"
    assert with_fields(**{field: highest + 1}) == "schema"


@pytest.mark.parametrize("device", ["phone", "desktop", "speaker", "car", "web"])
def test_every_device_of_the_design_is_good(device: str) -> None:
    assert with_fields(device=device) == Event(**{**GOOD, "device": device})


@pytest.mark.parametrize("wrong", ["video", "Music", "music ", ""])
def test_an_unknown_kind_or_device_is_bad(wrong: str) -> None:
    assert with_fields(kind=wrong) == "schema"
    assert with_fields(device=wrong) == "schema"


@pytest.mark.parametrize("country", ["se", "SWE", "S", "", "S1", " SE"])
def test_a_country_that_is_no_iso_code_is_bad(country: str) -> None:
    assert with_fields(country=country) == "schema"


@pytest.mark.parametrize("version", [0, 2, -1])
def test_an_unknown_schema_version_is_bad(version: int) -> None:
    assert with_fields(schema_version=version) == "schema"


@pytest.mark.parametrize("field", ["user_id", "item_id", "session_hint", "country"])
def test_bytes_that_are_no_utf8_are_bad(field: str) -> None:
    value = msgspec.json.encode({**GOOD, field: "@@"}).replace(b"@@", b"\xff\xfe")
    assert verdict(value) == "not-json"


@pytest.mark.parametrize("half", [rb"\ud800", rb"\udfff", rb"\ud800\ud800"], ids=bytes.decode)
def test_half_a_surrogate_pair_is_bad(half: bytes) -> None:
    assert with_literal("item_id", b'"' + half + b'"') == "not-json"


@pytest.mark.parametrize("depth", [257, 2_000, 100_000])
def test_deep_nesting_is_bad_wherever_it_stands(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    assert verdict(nested) == "nested"
    assert verdict(nested, key=None) == "nested"
    assert with_literal("ts_ms", nested) == "nested"
    assert verdict(encode(event("ann", "i", 10**12)).replace(b"{", b'{"unknown":' + nested + b",", 1)) == "nested"


def test_an_unknown_field_is_no_fault() -> None:
    value = encode(event("ann", "i", 10**12)).replace(b"{", b'{"unknown":[[{}]],', 1)
    assert verdict(value) == event("ann", "i", 10**12)


@pytest.mark.parametrize("days", [10**9, 10**20])
def test_a_watermark_beyond_the_year_9999_is_bad(days: int) -> None:
    assert verdict(encode(Watermark(DAY_MS * days)), key=None) == "control"


def test_a_country_is_two_letters_and_no_line_end() -> None:
    assert verdict(encode(event("ann", "i", 10**12, country="SE\n"))) == "schema"


@pytest.mark.parametrize("key", [b"", b"bob", b"ANN", b"ann ", b'"ann"', b"\xff"])
def test_a_key_that_is_not_the_user_id_is_bad(key: bytes) -> None:
    assert verdict(msgspec.json.encode(GOOD), key=key) == "key"


def test_a_user_id_is_compared_by_its_utf8_bytes() -> None:
    value = msgspec.json.encode({**GOOD, "user_id": "zoë😀"})
    assert verdict(value, key="zoë😀".encode()) == Event(**{**GOOD, "user_id": "zoë😀"})
    assert verdict(value, key="zoë😀".encode("utf-16")) == "key"


def test_an_event_without_a_key_is_no_control_record() -> None:
    assert verdict(msgspec.json.encode(GOOD), key=None) == "control"


def test_a_control_record_with_a_key_is_no_event() -> None:
    assert verdict(encode(Watermark(0))) == "schema"


@pytest.mark.parametrize("control", [Watermark(0), Watermark(20_461 * DAY_MS), Activation("2026-01-08")], ids=repr)
def test_control_records_come_back_from_the_wire(control: object) -> None:
    assert verdict(encode(control), key=None) == control


@pytest.mark.parametrize("at", [b"1", b"%d" % (DAY_MS + 1), b"%d" % -DAY_MS, b"86400000.0", b"true", b'"0"', b"null"])
def test_a_watermark_that_is_no_midnight_is_bad(at: bytes) -> None:
    assert verdict(b'{"control":"watermark","at_ms":' + at + b"}", key=None) == "control"


@pytest.mark.parametrize("value", [b"{}", b'{"control":"rewind"}', b'{"control":"version"}', b'{"control":7}', b"[]"])
def test_a_control_record_that_says_nothing_known_is_bad(value: bytes) -> None:
    assert verdict(value, key=None) == "control"
