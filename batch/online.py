"""A version's copy in Redis: what the night published, where a server finds one listener's part at once.

1. the copy is written down as begun, under a number: so whoever comes next knows of what a killed writer left;
2. its hashes are written, in chunks; nobody reads them yet;
3. they are counted, and only where all are there the copy is complete;
4. the home's pointer moves, which is the caller's part; then Redis' pointer, in one write;
5. old copies are removed: all but the last ``KEPT``, the one that is served and the one that was.

One writer at a time. A copy belongs to one build of a version: the same night published again gets another one, so what is
being read never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import redis

from contract.copy import Label, packed, read_labels
from contract.errors import InfrastructureError
from contract.keys import COPIES, CURRENT_COPY, copy_key
from contract.recommendation import FILE, SCHEMA
from contract.records import partition_of
from contract.version import Version

KEPT = 3
"""Copies that stay for a way back without writing them again."""
ROWS_A_BATCH = 4_096
LISTENERS_A_CHUNK = 256
"""About a megabyte on its way to Redis."""


@contextmanager
def copied(client: redis.Redis, version: Version, partitions: int) -> Iterator[None]:
    """Have a complete copy of a version in Redis; meanwhile the caller moves the home's pointer; then move that of Redis.

    Raises:
        InfrastructureError: Redis did not take it, or the version cannot be read; what was served still is.
    """
    with _told(version):
        copy = _copy(client, version, partitions)
    yield
    with _told(version):
        before = cast(bytes | None, client.getset(CURRENT_COPY, copy))  # 4
        _forget(client, {copy, (before or b"").decode()})  # 5


def _copy(client: redis.Redis, version: Version, partitions: int) -> str:
    """Write the copy of a version where there is none that is complete; return its name."""
    copy = version.folder.resolve().name.removeprefix(".")
    labels = _labels(client)
    known = labels.get(copy)
    if known is not None and known.complete and known.partitions == partitions:
        return copy
    if known is not None:
        _remove(client, copy, known)
    label = Label(version.name, 1 + max((one.number for one in labels.values()), default=0), partitions)
    _write_label(client, copy, label)  # 1
    listeners = _write(client, copy, version.folder / FILE, partitions)  # 2
    held = sum(client.hlen(copy_key(partition, copy)) for partition in range(partitions))
    if held != listeners:
        raise InfrastructureError(f"Redis holds {held} of {listeners} listeners", "it removes keys", "Give it more memory")
    whole = msgspec.structs.replace(label, complete=True, listeners=listeners, popular=version.popular)
    _write_label(client, copy, whole)  # 3
    return copy


def _write(client: redis.Redis, copy: str, path: Path, partitions: int) -> int:
    """Write the hashes of a copy; return how many listeners there were."""
    listeners, written = _listeners(path), 0
    while chunk := list(islice(listeners, LISTENERS_A_CHUNK)):
        parts: dict[int, dict[Any, Any]] = {}  # of names and values, as the client's types ask for
        for user, rows in chunk:
            parts.setdefault(partition_of(user, partitions), {})[user] = packed(rows)
        with client.pipeline(transaction=False) as pipeline:
            for partition, fields in parts.items():
                pipeline.hset(copy_key(partition, copy), mapping=fields)
            pipeline.execute()
        written += len(chunk)
    return written


def _listeners(path: Path) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield each listener with the rows of their shelves, out of a file that is sorted by listener, a batch at a time."""
    if not path.exists():
        return
    held = SCHEMA.empty_table()
    for batch in pq.ParquetFile(path).iter_batches(ROWS_A_BATCH):
        held = pa.concat_tables([held, pa.Table.from_batches([batch]).cast(SCHEMA)]).combine_chunks()
        runs = _runs(held)
        yield from _cut(held, runs[:-1])
        held = held.slice(runs[-1][0] if runs else 0)  # the last listener's rows may go on in the next batch
    yield from _cut(held, _runs(held))


def _runs(rows: pa.Table) -> list[tuple[int, int]]:
    """Return from where to where the rows of each listener reach."""
    users = rows.column("user_id").to_numpy(zero_copy_only=False)
    edges = [0, *(np.flatnonzero(users[1:] != users[:-1]) + 1).tolist(), len(users)] if len(users) else []
    return list(pairwise(edges))


def _cut(rows: pa.Table, runs: list[tuple[int, int]]) -> Iterator[tuple[str, pa.RecordBatch]]:
    if runs:
        (batch,) = rows.combine_chunks().to_batches()
        users, shelves = batch.column("user_id"), batch.drop_columns(["user_id"])
        for start, end in runs:
            yield users[start].as_py(), shelves.slice(start, end - start)


def _labels(client: redis.Redis) -> dict[str, Label]:
    return read_labels(cast(dict[bytes, bytes], client.hgetall(COPIES)))


def _write_label(client: redis.Redis, copy: str, label: Label) -> None:
    client.hset(COPIES, copy, cast(str, msgspec.json.encode(label)))


def _forget(client: redis.Redis, needed: set[str]) -> None:
    """Remove the copies that neither are needed nor among the last complete ones."""
    labels = _labels(client)
    complete = sorted((copy for copy in labels if labels[copy].complete), key=lambda copy: -labels[copy].number)
    for copy in set(labels) - needed - set(complete[:KEPT]):
        _remove(client, copy, labels[copy])


def _remove(client: redis.Redis, copy: str, label: Label) -> None:
    """Remove a copy: first nobody takes it for complete, then its keys go, then its name."""
    _write_label(client, copy, msgspec.structs.replace(label, complete=False))
    for partition in range(label.partitions):
        client.unlink(copy_key(partition, copy))
    client.hdel(COPIES, copy)


@contextmanager
def _told(version: Version) -> Iterator[None]:
    """Turn a Redis that is away or full, and a file that is broken, into one line."""
    try:
        yield
    except (redis.exceptions.RedisError, redis.exceptions.RedisClusterException) as error:
        todo = "See 'skewlab doctor', then run it again: what was served still is"
        raise InfrastructureError(f"Redis did not take version '{version.name}'", str(error), todo) from error
    except (OSError, pa.ArrowException) as error:
        todo = "Run the version's night again"
        raise InfrastructureError(f"{version.folder / FILE} cannot be read", str(error), todo) from error
