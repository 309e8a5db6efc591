"""What a step leaves to be published: served rows as Arrow batches, dead letters as JSON."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa

from contract.keys import DEAD_LETTERS, SERVED
from contract.rows import Rows

if TYPE_CHECKING:
    from streaming.step import DeadLetter

_TOPICS = {b"S": SERVED, b"D": DEAD_LETTERS}


def served(rows: Rows, share: float) -> list[bytes]:
    """Return the entry that logs the rows of a step: of a share of the listeners, by hash, so that all rows of one are kept."""
    if share < 1:
        rows = rows.take(np.fromiter((in_sample(user, share) for user in rows.user_id), np.bool_, len(rows)))
    if not len(rows):
        return []
    table = rows.to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return [b"S" + sink.getvalue().to_pybytes()]


def dead_letter(partition: int, letter: DeadLetter) -> bytes:
    """Return the entry of a bad record: the record as it came, its place, the reason."""
    record = letter.record
    document = {
        "reason": letter.reason,
        "detail": letter.detail,
        "partition": partition,
        "offset": record.offset,
        "key": _text(record.key),
        "value": _text(record.value),
    }
    return b"D" + orjson.dumps(document)


def topic_of(entry: bytes) -> tuple[str, bytes]:
    """Return the topic that an entry goes to, and the value of its record."""
    return _TOPICS[entry[:1]], entry[1:]


def read_served(values: Sequence[bytes]) -> list[pa.Table]:
    """Read the values of served-features records back."""
    return [pa.ipc.open_stream(value).read_all() for value in values]


@lru_cache(maxsize=1 << 20)
def in_sample(user: str, share: float) -> bool:
    """Tell whether the rows of a listener are logged, where those of a share of all are."""
    return int.from_bytes(hashlib.blake2b(user.encode(), digest_size=8).digest(), "big") < share * 2**64


def _text(value: bytes | None) -> str | None:
    """Show bytes as text where they are text, else as base64."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode()
