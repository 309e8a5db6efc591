"""The store in Redis: one script call a step, fenced by epoch and offset, safe to be sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Sized
from functools import wraps
from importlib.resources import files
from typing import Any, cast

import numpy as np
import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

from contract.errors import InfrastructureError
from contract.keys import RANKINGS, key, ranking_key
from streaming.store import NOTHING, Claim, Fenced, Meta, Rankings, Write

_SCRIPT = files("streaming").joinpath("step.lua").read_text()  # also out of a wheel
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_CLUSTER = "redis+cluster://"
_AWAY = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException)  # the second is no kind of the first
ATTEMPTS, FIRST_PAUSE_S, LONGEST_PAUSE_S = 10, 0.01, 1.0
"""How often a command that got no reply is sent again, about five seconds in all: every script and command here bears it."""
_NAMES = ("meta", "items", "state", "rows", "outbox")
_RANKED = np.dtype([("place", "<i4"), ("score", "<f8")])


def _reports(method: Any) -> Any:
    """Turn a lost or refusing Redis into one line."""

    @wraps(method)
    def wrapper(self: RedisStore, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except _AWAY as error:
            raise InfrastructureError(f"Redis did not do '{method.__name__}'", str(error), "See 'skewlab doctor'") from error

    return wrapper


class RedisStore:
    """A store of partitions in Redis, or in a Redis Cluster: the keys of a partition share a slot."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

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
        ranked = [_ranked(write.rankings.get(kind)) for kind in RANKINGS]
        rankings = [part for names, users, _ in ranked for part in (names, users)]
        lists = (items, *_changes(write.states), *_changes(write.rows), write.outbox, *rankings)
        values = [value for one in lists for value in one]
        framed = [_lengths(lists), _lengths(values), b"".join(values), *(packed for _, _, packed in ranked)]
        arguments: list[Any] = [*head, write.known_items, *framed]
        answer = self._run(partition, arguments).decode()
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
    def ranking(self, partition: int, kind: str, name: str) -> list[tuple[str, float]]:
        """See ``Store.ranking``."""
        pairs = self._redis.zrange(ranking_key(partition, kind, name), 0, -1, desc=True, withscores=True)
        return [(ranked.decode(), score) for ranked, score in cast(list[tuple[bytes, float]], pairs)]

    @_reports
    def clear(self, partition: int) -> None:
        """See ``Store.clear``."""
        meta, items, state, rows, *_ = _keys(partition)
        names = cast(list[bytes], self._redis.hkeys(rows))
        pipeline = self._redis.pipeline(transaction=True)
        for name in names:
            pipeline.delete(*(ranking_key(partition, kind, "").encode() + name for kind in RANKINGS))
        pipeline.hdel(meta, "step", "offset", "received_ms", "watermark_ms", "version")
        pipeline.delete(items, state, rows)
        pipeline.execute()

    def _run(self, partition: int, arguments: list[Any]) -> bytes:
        """Run the script where the keys are; a server that does not know it gets its text, and no other server is asked."""
        keys = _keys(partition)
        try:
            return cast(bytes, self._redis.evalsha(_SHA, len(keys), *keys, *arguments))
        except redis.exceptions.NoScriptError:
            return cast(bytes, self._redis.eval(_SCRIPT, len(keys), *keys, *arguments))


def connect(url: str) -> redis.Redis:
    """Make the client of this process.

    ``redis://HOST:PORT/0`` is a server. ``redis+cluster://[USER:PASSWORD@]HOST:PORT[,HOST:PORT...]`` is a Redis Cluster: one of
    these nodes that answers is enough, and tells of the others.

    Raises:
        InfrastructureError: no Redis answers there.
    """
    try:
        client = _cluster(url) if url.startswith(_CLUSTER) else redis.Redis.from_url(url, retry=_retry())
        client.ping()
    except _AWAY as error:
        raise InfrastructureError(f"No Redis answers at {url}", str(error), "Start one: 'skewlab stack up'") from error
    return client


def _retry() -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=FIRST_PAUSE_S, cap=LONGEST_PAUSE_S), ATTEMPTS)


def _cluster(url: str) -> redis.Redis:
    first, *others = url.removeprefix(_CLUSTER).split(",")
    addresses = (other.rpartition(":") for other in others)
    nodes = [ClusterNode(host, int(port)) for host, _, port in addresses]  # type: ignore[no-untyped-call]
    return cast(
        redis.Redis, RedisCluster.from_url(f"redis://{first}", startup_nodes=nodes, retry=_retry())
    )  # it takes the same commands


def _keys(partition: int) -> list[str]:
    names = (key(partition, name) for name in _NAMES)
    return [*names, *(ranking_key(partition, kind, "") for kind in RANKINGS)]


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


def _ranked(rankings: Rankings | None) -> tuple[list[bytes], list[bytes], bytes]:
    """Return the names that are ranked, those of listeners, and the rankings as the script reads them."""
    if rankings is None or not len(rankings.users):
        return [], [], b""
    used, place = np.unique(rankings.places, return_inverse=True)
    absent = int((used == NOTHING).any())  # it comes first
    packed = np.empty(rankings.places.shape, _RANKED)
    packed["place"], packed["score"] = place.reshape(rankings.places.shape) - absent, rankings.scores
    names = [rankings.names[place].encode() for place in used[absent:].tolist()]
    return names, [name.encode() for name in rankings.users], packed.tobytes()


def _lengths(values: Sequence[Sized]) -> bytes:
    return np.fromiter(map(len, values), "<u4", len(values)).tobytes()
