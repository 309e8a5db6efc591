"""A version's copy in Redis, as its writer and its readers know it: a listener's shelves in one value, and the copy's label.

A value is one Arrow record batch of ``SHELVES`` (the rows of ``recommendations.parquet``, less the name), compressed. It is cut
out of the file as it is: nothing is made into Python objects for 100,000 listeners who may never ask.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pyarrow as pa

from contract.recommendation import SCHEMA, Recommended

SHELVES = SCHEMA.remove(SCHEMA.get_field_index("user_id"))
_CODEC = pa.Codec("zstd", compression_level=1)


class Label(msgspec.Struct, frozen=True):
    """What a copy is of: the ``number`` counts copies, and is larger the later it was begun.

    ``partitions`` of the log it is divided by. Nobody reads one that is not ``complete``. ``popular`` is what is recommended
    without anything personal.
    """

    version: str
    number: int
    partitions: int
    complete: bool = False
    listeners: int = 0
    popular: tuple[Recommended, ...] = ()


_labels = msgspec.json.Decoder(Label)


def read_labels(stored: Mapping[bytes, bytes]) -> dict[str, Label]:
    """Return the labels of all copies, by name, from what the hash ``COPIES`` holds."""
    return {name.decode(): _labels.decode(label) for name, label in stored.items()}


def packed(rows: pa.RecordBatch) -> bytes:
    """Return a listener's rows of ``SHELVES`` as one value."""
    return bytes(_CODEC.compress(rows.serialize(), asbytes=True))


def unpacked(value: bytes) -> dict[str, tuple[Recommended, ...]]:
    """Return the shelves of a value, by name."""
    rows = pa.ipc.read_record_batch(pa.CompressedInputStream(pa.py_buffer(value), "zstd").read_buffer(), SHELVES).to_pylist()
    return {row["shelf"]: _items(row["items"], row["scores"], row["reasons"]) for row in rows}


def _items(items: list[str], scores: list[float], reasons: list[object]) -> tuple[Recommended, ...]:
    together = zip(items, scores, reasons, strict=True)
    documents = [{"item": item, "score": score, "reasons": why} for item, score, why in together]
    return msgspec.convert(documents, tuple[Recommended, ...])
