"""The listening event: its fields on the wire, its columns in memory and in the lake.

``Event`` is one record as the collector sends it (JSON on the topic). ``Events`` is a columnar batch of *valid* events: what
the skews' hooks, the world and the live path work on. The lake holds the same columns beside the record's Kafka position.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.windows import DAY_MS

SCHEMA_VERSION = 1
MUSIC, PODCAST = 0, 1
KINDS = ("music", "podcast")
DEVICES = ("phone", "desktop", "speaker", "car", "web")
PHONE = DEVICES.index("phone")
NO_DURATION = -1
"""Stands for null in ``Events.duration_ms``."""

LAST_MS = 253_402_300_799_999
"""The end of the year 9999: what Parquet readers and date functions all bear."""
_Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_MS)]
LONGEST_NAME = 512
UTC_OFFSETS_MIN = (-720, 840)
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]


class Event(msgspec.Struct, frozen=True, gc=False):
    """One listen. ``ts_ms`` is when it *ended*; durations are milliseconds; field order is the order on the wire."""

    event_id: _Name
    user_id: _Name
    item_id: _Name
    session_hint: str | None
    kind: Literal["music", "podcast"]
    ts_ms: _Instant
    received_at_ms: _Instant
    ms_played: Annotated[int, msgspec.Meta(ge=0, le=DAY_MS)]
    duration_ms: Annotated[int, msgspec.Meta(ge=1, le=LAST_MS)] | None
    utc_offset_min: Annotated[int, msgspec.Meta(ge=UTC_OFFSETS_MIN[0], le=UTC_OFFSETS_MIN[1])]
    device: Literal["phone", "desktop", "speaker", "car", "web"]
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
    rec_id: str | None
    schema_version: Literal[1]


LAKE_SCHEMA = pa.schema(
    [
        pa.field("kafka_partition", pa.int32(), nullable=False),
        pa.field("kafka_offset", pa.int64(), nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("session_hint", pa.string()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("ts_ms", pa.int64(), nullable=False),
        pa.field("received_at_ms", pa.int64(), nullable=False),
        pa.field("ms_played", pa.int64(), nullable=False),
        pa.field("duration_ms", pa.int64()),
        pa.field("utc_offset_min", pa.int32(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("country", pa.string(), nullable=False),
        pa.field("rec_id", pa.string()),
        pa.field("schema_version", pa.int32(), nullable=False),
    ]
)
"""One valid event in the lake."""

Ints = NDArray[np.int64]
Codes = NDArray[np.uint8]
Names = NDArray[np.object_]


@dataclasses.dataclass(frozen=True)
class Events:
    """A columnar batch of n valid events of one partition; every column is an array of shape (n,).

    ``kind`` and ``device`` are indices into ``KINDS`` and ``DEVICES``; ``duration_ms`` is ``NO_DURATION`` where the source knew
    none; ``session_hint`` and ``rec_id`` hold ``None`` for null.
    """

    offset: Ints
    event_id: Names
    user_id: Names
    item_id: Names
    session_hint: Names
    kind: Codes
    ts_ms: Ints
    received_at_ms: Ints
    ms_played: Ints
    duration_ms: Ints
    utc_offset_min: Ints
    device: Codes
    country: Names
    rec_id: Names

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, which: NDArray[Any]) -> Events:
        """Return the rows that a mask or an index array picks, in that order."""
        return Events(**{name: column[which] for name, column in self.columns().items()})

    def replace(self, **columns: NDArray[Any]) -> Events:
        """Return the same batch with some columns exchanged: what an ``event`` hook of a skew does."""
        return dataclasses.replace(self, **columns)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name, uncopied."""
        return {name: getattr(self, name) for name in COLUMNS}

    @staticmethod
    def of(events: Sequence[Event], offsets: Sequence[int]) -> Events:
        """Build a batch from decoded records and the offsets they stood at."""
        return Events(
            offset=np.array(offsets, np.int64),
            event_id=_names(e.event_id for e in events),
            user_id=_names(e.user_id for e in events),
            item_id=_names(e.item_id for e in events),
            session_hint=_names(e.session_hint for e in events),
            kind=np.array([e.kind == "podcast" for e in events], np.uint8),
            ts_ms=np.array([e.ts_ms for e in events], np.int64),
            received_at_ms=np.array([e.received_at_ms for e in events], np.int64),
            ms_played=np.array([e.ms_played for e in events], np.int64),
            duration_ms=np.array([e.duration_ms or NO_DURATION for e in events], np.int64),
            utc_offset_min=np.array([e.utc_offset_min for e in events], np.int64),
            device=np.array([DEVICE_CODES[e.device] for e in events], np.uint8),
            country=_names(e.country for e in events),
            rec_id=_names(e.rec_id for e in events),
        )

    @staticmethod
    def concat(batches: Sequence[Events]) -> Events:
        """Put batches one behind the other."""
        if not batches:
            return Events.of([], [])
        return Events(**{name: np.concatenate([getattr(b, name) for b in batches]) for name in COLUMNS})

    def to_records(self) -> list[Event]:
        """Return the rows as records, in order."""
        return [
            Event(*row)
            for row in zip(
                self.event_id, self.user_id, self.item_id, self.session_hint, [KINDS[k] for k in self.kind],
                self.ts_ms.tolist(), self.received_at_ms.tolist(), self.ms_played.tolist(),
                [None if d == NO_DURATION else d for d in self.duration_ms.tolist()],
                self.utc_offset_min.tolist(), [DEVICES[d] for d in self.device], self.country, self.rec_id,
                [SCHEMA_VERSION] * len(self),
                strict=True,
            )
        ]  # fmt: skip

    def to_arrow(self, partition: int) -> pa.Table:
        """Return the rows as the lake holds them (``LAKE_SCHEMA``)."""
        n = len(self)
        columns: dict[str, Any] = {
            **self.columns(),
            "kafka_partition": np.full(n, partition, np.int32),
            "kafka_offset": self.offset,
            "kind": _decoded(KINDS, self.kind),
            "duration_ms": pa.array(self.duration_ms, mask=self.duration_ms == NO_DURATION),
            "utc_offset_min": self.utc_offset_min.astype(np.int32),
            "device": _decoded(DEVICES, self.device),
            "schema_version": np.full(n, SCHEMA_VERSION, np.int32),
        }
        return pa.table([pa.array(columns[f.name], f.type) for f in LAKE_SCHEMA], schema=LAKE_SCHEMA)

    @staticmethod
    def from_arrow(table: pa.Table) -> Events:
        """Read rows of ``LAKE_SCHEMA`` back; ``offset`` is the record's Kafka offset."""
        numbers = {
            name: table.column(name).to_numpy().astype(np.int64)
            for name in ("ts_ms", "received_at_ms", "ms_played", "utc_offset_min")
        }
        names = {
            name: table.column(name).to_numpy(zero_copy_only=False).astype(object)
            for name in ("event_id", "user_id", "item_id", "session_hint", "country", "rec_id")
        }
        return Events(
            offset=table.column("kafka_offset").to_numpy(),
            kind=_encoded(KINDS, table.column("kind")),
            device=_encoded(DEVICES, table.column("device")),
            duration_ms=table.column("duration_ms").fill_null(NO_DURATION).to_numpy(),
            **numbers,
            **names,
        )


COLUMNS = tuple(field.name for field in dataclasses.fields(Events))
DEVICE_CODES = {name: code for code, name in enumerate(DEVICES)}


def _names(values: Iterable[str | None]) -> Names:
    found = list(values)
    column = np.empty(len(found), object)
    column[:] = found
    return column


def _decoded(names: Sequence[str], codes: Codes) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.uint8()), pa.array(names)).cast(pa.string())


def _encoded(names: Sequence[str], column: pa.ChunkedArray) -> Codes:
    codes = pa.compute.index_in(column, value_set=pa.array(names))
    return np.asarray(codes.to_numpy(), np.uint8)
