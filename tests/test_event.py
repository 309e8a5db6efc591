"""Events in columns: to and from records and the lake's tables, nulls, and exchanging rows and columns."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.event import COLUMNS, DEVICES, LAKE_SCHEMA, MUSIC, NO_DURATION, PHONE, PODCAST, Event, Events
from contract.records import encode
from tests.toylake import event

SONG = event("ann", "song", 5_000, session_hint="s1", rec_id="r1", device="car", country="DE", utc_offset_min=-480)
EPISODE = event("bob", "episode", 7_000, received_at_ms=9_000, kind="podcast", duration_ms=None, device="web")
BARE = event("ann", "other", 8_000, ms_played=0, utc_offset_min=840)
TOY = Events.of([SONG, EPISODE, BARE], [-2, 0, 5])

_name = st.text(min_size=1, max_size=8)
_count = st.integers(0, 86_400_000)
ANY_EVENT = st.builds(
    Event,
    event_id=_name,
    user_id=_name,
    item_id=_name,
    session_hint=st.none() | st.text(max_size=8),
    kind=st.sampled_from(["music", "podcast"]),
    ts_ms=_count,
    received_at_ms=_count,
    ms_played=_count,
    duration_ms=st.none() | st.integers(1, 10**12),
    utc_offset_min=st.integers(-720, 840),
    device=st.sampled_from(DEVICES),
    country=st.sampled_from(["SE", "US"]),
    rec_id=st.none() | st.text(max_size=8),
    schema_version=st.just(1),
)
RULES = settings(deadline=None, derandomize=True, max_examples=60)


def same(one: Events, other: Events) -> bool:
    """Values and types of all columns."""
    return all(
        a.dtype == b.dtype and a.tolist() == b.tolist()
        for a, b in zip(one.columns().values(), other.columns().values(), strict=True)
    )


def test_the_wire_has_the_fields_of_the_event_in_order() -> None:
    fields = list(msgspec.json.decode(encode(SONG)))
    assert fields == [
        "event_id", "user_id", "item_id", "session_hint", "kind", "ts_ms", "received_at_ms", "ms_played", "duration_ms",
        "utc_offset_min", "device", "country", "rec_id", "schema_version",
    ]  # fmt: skip


def test_the_lake_holds_the_kafka_position_before_the_fields_of_the_wire() -> None:
    assert LAKE_SCHEMA.names == ["kafka_partition", "kafka_offset", *msgspec.json.decode(encode(SONG))]


def test_a_column_holds_one_field_of_every_record() -> None:
    assert TOY.offset.tolist() == [-2, 0, 5]
    assert TOY.user_id.tolist() == ["ann", "bob", "ann"]
    assert TOY.kind.tolist() == [MUSIC, PODCAST, MUSIC]
    assert TOY.received_at_ms.tolist() == [5_000, 9_000, 8_000]
    assert TOY.device.tolist() == [DEVICES.index("car"), DEVICES.index("web"), PHONE]
    assert TOY.utc_offset_min.tolist() == [-480, 0, 840]


def test_records_come_back_from_columns() -> None:
    assert TOY.to_records() == [SONG, EPISODE, BARE]


@RULES
@given(st.lists(ANY_EVENT, max_size=5))
def test_any_records_come_back_from_columns(records: list[Event]) -> None:
    assert Events.of(records, range(len(records))).to_records() == records


@RULES
@given(st.lists(ANY_EVENT, max_size=5))
def test_any_columns_come_back_from_the_lake(records: list[Event]) -> None:
    batch = Events.of(records, range(-2, len(records) - 2))
    assert same(Events.from_arrow(batch.to_arrow(3)), batch)


def test_columns_come_back_from_a_parquet_file(tmp_path) -> None:
    pq.write_table(TOY.to_arrow(3), tmp_path / "events.parquet")
    assert same(Events.from_arrow(pq.read_table(tmp_path / "events.parquet")), TOY)


def test_columns_come_back_from_a_table_of_several_chunks() -> None:
    table = pa.concat_tables([TOY.take(np.array([i])).to_arrow(0) for i in range(3)])
    assert table.column("ts_ms").num_chunks == 3
    assert same(Events.from_arrow(table), TOY)


def test_a_table_of_the_lake_has_its_schema_and_the_kafka_position() -> None:
    table = TOY.to_arrow(3)
    assert table.schema == LAKE_SCHEMA
    assert table.column("kafka_partition").to_pylist() == [3, 3, 3]
    assert table.column("kafka_offset").to_pylist() == [-2, 0, 5]


def test_a_row_of_the_lake_is_the_record_in_plain_words() -> None:
    row = TOY.to_arrow(3).to_pylist()[1]
    assert row == {"kafka_partition": 3, "kafka_offset": 0, **msgspec.structs.asdict(EPISODE)}


def test_an_unknown_duration_is_null_in_the_lake_and_minus_one_in_columns() -> None:
    assert TOY.duration_ms.tolist() == [200_000, NO_DURATION, 200_000]
    assert TOY.to_arrow(0).column("duration_ms").to_pylist() == [200_000, None, 200_000]


def test_missing_names_are_null_in_the_lake_and_none_in_columns() -> None:
    table = TOY.to_arrow(0)
    assert table.column("session_hint").to_pylist() == ["s1", None, None]
    assert Events.from_arrow(table).rec_id.tolist() == ["r1", None, None]


def test_an_empty_name_is_no_null() -> None:
    batch = Events.of([event("ann", "song", 1, session_hint="", rec_id="")], [0])
    assert Events.from_arrow(batch.to_arrow(0)).to_records()[0].session_hint == ""
    assert batch.to_arrow(0).column("rec_id").null_count == 0


def test_columns_of_names_may_be_null_throughout() -> None:
    batch = Events.of([EPISODE, EPISODE], [0, 1])
    assert Events.from_arrow(batch.to_arrow(0)).session_hint.tolist() == [None, None]


def test_a_mask_takes_rows_in_their_order() -> None:
    assert TOY.take(TOY.user_id == "ann").to_records() == [SONG, BARE]


def test_indices_take_rows_in_their_own_order_and_as_often_as_named() -> None:
    taken = TOY.take(np.array([2, 0, 2]))
    assert taken.to_records() == [BARE, SONG, BARE]
    assert taken.offset.tolist() == [5, -2, 5]


def test_replace_exchanges_a_column_and_leaves_the_batch_as_it_was() -> None:
    moved = TOY.replace(ts_ms=TOY.ts_ms + 1)
    assert moved.ts_ms.tolist() == [5_001, 7_001, 8_001]
    assert TOY.ts_ms.tolist() == [5_000, 7_000, 8_000]
    assert same(moved.replace(ts_ms=TOY.ts_ms), TOY)


def test_replace_refuses_a_column_that_there_is_not() -> None:
    with pytest.raises(TypeError):
        TOY.replace(tempo=TOY.ts_ms)


def test_concat_puts_batches_one_behind_the_other() -> None:
    parts = [TOY.take(np.array([0])), TOY.take(np.array([], np.int64)), TOY.take(np.array([1, 2]))]
    assert same(Events.concat(parts), TOY)


def test_concat_of_nothing_is_a_batch_of_no_events() -> None:
    empty = Events.concat([])
    assert len(empty) == 0
    assert same(Events.concat([empty, TOY]), TOY)


def test_a_batch_of_no_events_goes_through_the_lake() -> None:
    empty = Events.of([], [])
    assert same(Events.from_arrow(empty.to_arrow(0)), empty)
    assert empty.to_arrow(0).schema == LAKE_SCHEMA


def test_columns_are_named_as_the_fields_and_not_copied() -> None:
    columns = TOY.columns()
    assert tuple(columns) == COLUMNS
    assert columns["ts_ms"] is TOY.ts_ms
