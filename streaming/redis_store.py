"""The store in Redis: one script call a step, fenced by epoch and offset, safe to be sent twice."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from functools import wraps
from importlib.resources import files
from typing import Any, cast

import numpy as np
import redis

from contract.errors import InfrastructureError
from contract.keys import key
from streaming.store import Claim, Fenced, Meta, Write

_SCRIPT = files("streaming").joinpath("step.lua").read_text()  # also out of a wheel
_NAMES = ("meta", "items", "state", "rows", "outbox")


def _reports(method: Any) -> Any:
    """Turn a lost or refusing Redis into one line."""

    @wraps(method)
    def wrapper(self: RedisStore, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except redis.exceptions.RedisError as error:
            raise InfrastructureError(f"Redis did not do '{method.__name__}'", str(error), "See 'skewlab doctor'") from error

    return wrapper


class RedisStore:
    """A store of partitions in Redis, or in a Redis Cluster: the keys of a partition share a slot."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._step = client.register_script(_SCRIPT)

    @_reports
    def claim(self, partition: int) -> Claim:
        """See ``Store.claim``."""
        meta, items, state, *_ = _keys(partition)
        epoch = self._redis.hincrby(meta, "epoch", 1)
        found = cast(dict[bytes, bytes], self._redis.hgetall(meta))
        names = [name.decode() for name in cast(list[bytes], self._redis.lrange(items, 0, -1))]
        states = {user.decode(): blob for user, blob in cast(dict[bytes, bytes], self._redis.hgetall(state)).items()}
        return Claim(epoch, _meta(found), names, states)

    @_reports
    def commit(self, partition: int, epoch: int, write: Write) -> None:
        """See ``Store.commit``."""
        meta = write.meta
        head = [epoch, write.first, meta.offset, _text(meta.received_ms), _text(meta.watermark_ms), meta.version]
        items = [name.encode() for name in write.new_items]
        lists = (items, *_changes(write.states), *_changes(write.rows), write.outbox)
        values = [value for one in lists for value in one]
        arguments: list[Any] = [*head, write.known_items, _lengths(lists), _lengths(values), b"".join(values)]
        answer = cast(bytes, self._step(keys=_keys(partition), args=arguments)).decode()
        if answer not in {"OK", "SAME"}:
            raise Fenced(f"Partition {partition} has moved on", f"the store says {answer}, the step was of epoch {epoch}")

    @_reports
    def holds(self, partition: int, epoch: int, offset: int) -> bool:
        """See ``Store.holds``."""
        found = self._redis.hmget(_keys(partition)[0], "epoch", "offset")
        return found[0] == str(epoch).encode() and found[1] in {None, str(offset).encode()}

    @_reports
    def outbox(self, partition: int, limit: int) -> list[tuple[str, bytes]]:
        """See ``Store.outbox``."""
        entries = cast(list[tuple[bytes, dict[bytes, bytes]]], self._redis.xrange(_keys(partition)[4], count=limit))
        return [(name.decode(), fields[b"p"]) for name, fields in entries]

    @_reports
    def published(self, partition: int, ids: Sequence[str]) -> None:
        """See ``Store.published``."""
        if ids:
            self._redis.xdel(_keys(partition)[4], *ids)

    @_reports
    def row(self, partition: int, name: str) -> bytes | None:
        """See ``Store.row``."""
        return cast(bytes | None, self._redis.hget(_keys(partition)[3], name))

    @_reports
    def clear(self, partition: int) -> None:
        """Forget a partition's state, rows and offset, but never its epoch: what waits to be published stays."""
        meta, items, state, rows, _ = _keys(partition)
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hdel(meta, "step", "offset", "received_ms", "watermark_ms", "version")
        pipeline.delete(items, state, rows)
        pipeline.execute()


def connect(url: str) -> redis.Redis:
    """Make the client of this process.

    Raises:
        InfrastructureError: no Redis answers there.
    """
    client = redis.Redis.from_url(url)
    try:
        client.ping()
    except redis.exceptions.RedisError as error:
        raise InfrastructureError(f"No Redis answers at {url}", str(error), "Start one: 'skewlab stack up'") from error
    return client


def _keys(partition: int) -> list[str]:
    return [key(partition, name) for name in _NAMES]


def _meta(found: dict[bytes, bytes]) -> Meta | None:
    if b"offset" not in found:
        return None
    return Meta(
        int(found[b"offset"]), _number(found[b"received_ms"]), _number(found[b"watermark_ms"]), found[b"version"].decode()
    )


def _number(text: bytes) -> int | None:
    return int(text) if text else None


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _changes(values: dict[str, bytes | None]) -> tuple[list[bytes], list[bytes]]:
    """Return names and values to set, one behind the other, and the names to remove."""
    kept = [part for name, value in values.items() if value is not None for part in (name.encode(), value)]
    return kept, [name.encode() for name, value in values.items() if value is None]


def _lengths(values: Sequence[Sized]) -> bytes:
    return np.fromiter(map(len, values), "<u4", len(values)).tobytes()
