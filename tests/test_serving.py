"""The read API over a real Redis that the live path's store wrote to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import pyarrow as pa
import pytest
import redis
from fastapi import FastAPI
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from contract.features import NAMES, ROW_SCHEMA
from lab.stack.processes import end
from lab.stack.redis import start_redis
from serving.api import make_api
from streaming.redis_store import RedisStore, connect
from streaming.store import Meta, Write

pytestmark = pytest.mark.stack

PARTITIONS = 2
"""Ann is of the first one, Gus of the second."""
MIDNIGHT = 1_767_830_400_000  # 2026-01-08
ANN = {
    "user_id": "ann",
    "as_of_ms": MIDNIGHT + 5,
    "partition": 0,
    "cut": 7,
    "version": "2026-01-08",
    "plays_7d": 3,
    "skip_rate_28d": 0.25,
    "top_genre": "jazz",
    "show_completion_28d": [("show-a", 0.5), ("show-b", 1.0)],
    "genre_affinity": [0.1, 0.9],
    "shows": ["show-b", "show-a"],
    "scores": [0.75, 0.5],
}
GUS = {"user_id": "gus", "as_of_ms": MIDNIGHT, "partition": 1, "cut": 7, "version": "initial"}


def stored(row: dict[str, object]) -> dict[str, bytes | None]:
    (whole,) = pa.Table.from_pylist([row], schema=ROW_SCHEMA).to_pylist(maps_as_pydicts="strict")
    return {whole["user_id"]: orjson.dumps(whole)}


def commit(store: RedisStore, partition: int, first: int, upto: int, rows: dict[str, bytes | None]) -> None:
    """Write a step of a partition that has rows only."""
    meta = Meta(upto, MIDNIGHT + 4, MIDNIGHT, "2026-01-08")
    store.commit(partition, store.claim(partition).epoch, Write(first, meta, 0, [], {}, rows, []))


@contextmanager
def server(folder: Path) -> Iterator[redis.Redis]:
    """Start a server of its own, wait until it answers, end it."""
    child, url = start_redis(folder, keep=False)
    try:
        with redis.Redis.from_url(url, retry=Retry(ConstantBackoff(0.05), 200)) as patient:
            patient.ping()
        with connect(url) as client:
            yield client
    finally:
        end([child])


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[redis.Redis]:
    """Return a Redis that nobody has written to."""
    with server(tmp_path) as client:
        yield client


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Return the application over a Redis that holds two listeners, one in each partition."""
    with server(tmp_path_factory.mktemp("redis")) as client:
        for partition, row in enumerate((ANN, GUS)):
            commit(RedisStore(client), partition, 0, 7, stored(row))
        yield make_api(client, PARTITIONS)


def get(api: FastAPI, path: str) -> httpx.Response:
    """Ask the application; what it does not catch is raised here."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://lab") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_health_tells_where_each_partition_stands(api: FastAPI) -> None:
    standing = {"offset": 7, "watermark_ms": MIDNIGHT, "version": "2026-01-08"}
    answer = get(api, "/health")
    assert answer.status_code == 200
    assert answer.json() == {"partitions": {"0": standing, "1": standing}}


def test_features_are_those_stored_with_the_instant_they_are_of(api: FastAPI) -> None:
    told = get(api, "/listeners/ann/features").json()
    assert told["as_of_ms"] == MIDNIGHT + 5
    assert (told["plays_7d"], told["skip_rate_28d"], told["top_genre"]) == (3, 0.25, "jazz")
    assert told["show_completion_28d"] == {"show-a": 0.5, "show-b": 1.0}
    assert told["genre_affinity"] == [0.1, 0.9]


def test_every_feature_of_the_registry_is_told_and_null_stays_null(api: FastAPI) -> None:
    told = get(api, "/listeners/gus/features").json()
    assert list(told) == ["user_id", "as_of_ms", "cut", "version", *NAMES]
    assert {told[name] for name in NAMES} == {None}


def test_shows_come_best_first_with_their_scores(api: FastAPI) -> None:
    assert get(api, "/listeners/ann/shows").json() == {
        "user_id": "ann",
        "as_of_ms": MIDNIGHT + 5,
        "shows": [{"show": "show-b", "score": 0.75}, {"show": "show-a", "score": 0.5}],
    }


def test_without_a_ranker_there_are_no_shows(api: FastAPI) -> None:
    assert get(api, "/listeners/gus/shows").json()["shows"] == []


@pytest.mark.parametrize("what", ["features", "shows"])
def test_an_unknown_listener_is_not_found(api: FastAPI, what: str) -> None:
    answer = get(api, f"/listeners/nobody/{what}")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Nothing is known of 'nobody'"}


def test_before_the_first_step_no_partition_stands_anywhere(fresh: redis.Redis) -> None:
    nowhere = {"offset": None, "watermark_ms": None, "version": None}
    assert get(make_api(fresh, partitions=1), "/health").json() == {"partitions": {"0": nowhere}}


def test_the_row_that_was_written_last_is_served(fresh: redis.Redis) -> None:
    store, api = RedisStore(fresh), make_api(fresh, partitions=1)
    commit(store, 0, 0, 1, stored({**ANN, "plays_7d": 3}))
    commit(store, 0, 1, 2, stored({**ANN, "plays_7d": 4}))
    assert get(api, "/listeners/ann/features").json()["plays_7d"] == 4


def test_a_row_that_was_removed_is_served_no_more(fresh: redis.Redis) -> None:
    store, api = RedisStore(fresh), make_api(fresh, partitions=1)
    commit(store, 0, 0, 1, stored(ANN))
    commit(store, 0, 1, 2, {"ann": None})
    assert get(api, "/listeners/ann/features").status_code == 404


@pytest.mark.parametrize("path", ["/health", "/listeners/ann/features", "/listeners/ann/shows"])
def test_where_redis_is_away_the_answer_is_503_and_no_traceback(tmp_path: Path, path: str) -> None:
    with server(tmp_path) as client:
        api = make_api(client, PARTITIONS)
    answer = get(api, path)
    assert answer.status_code == 503
    assert answer.json() == {"detail": "Redis does not answer"}
