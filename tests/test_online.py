"""A version's copy in a real Redis: complete or not there, of one build, served by pointer, and never more than a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from batch.online import KEPT, copied
from contract.errors import InfrastructureError
from contract.home import Home
from contract.keys import COPIES, CURRENT_COPY, copy_key
from contract.preferences import Preference
from contract.recommendation import FOR_YOU, NOT_PERSONAL, POPULAR, PRIVATE, Reason, Recommended
from contract.records import partition_of
from contract.version import Version
from serving.copy import served
from tests.shelves import ANN, BEST, BOB, publish_shelves
from tests.test_serving import server

pytestmark = pytest.mark.stack
PARTITIONS = 2
PLAIN = Preference()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with server(tmp_path_factory.mktemp("redis")) as client:
        yield client


@pytest.fixture
def client(running: redis.Redis) -> redis.Redis:
    """A Redis that nobody has written to."""
    running.flushall()
    return running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def serve(client: redis.Redis, version: Version, partitions: int = PARTITIONS) -> None:
    with copied(client, version, partitions):
        pass


def keys(client: redis.Redis) -> set[str]:
    return {key.decode() for key in client.scan_iter()}


def test_nothing_is_served_before_the_first_copy(client: redis.Redis) -> None:
    assert served(client) is None


def test_what_was_copied_is_served_as_it_was_published(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN, "bob": BOB}))
    found = served(client)
    assert found is not None
    assert (found.label.version, found.label.listeners, found.label.popular) == ("2026-01-08", 2, BEST)
    assert found.shelves("ann", PLAIN) == ANN
    assert found.shelves("bob", PLAIN) == BOB
    assert found.shelves("nobody", PLAIN) is None


def test_each_partition_of_a_copy_is_of_one_slot(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN, "gus": BOB}))
    assert (partition_of("ann", 2), partition_of("gus", 2)) == (0, 1)
    found = served(client)
    assert found is not None
    parts = [copy_key(partition, found.name) for partition in range(2)]
    assert keys(client) == {COPIES, CURRENT_COPY, *parts}
    assert [part.split(":")[0] for part in parts] == ["{p0}", "{p1}"]
    assert [client.hkeys(part) for part in parts] == [[b"ann"], [b"gus"]]


@pytest.mark.parametrize(("wishes", "why"), [
    (Preference(personalisation=False), NOT_PERSONAL), (Preference(privacy_first=True), PRIVATE),
])  # fmt: skip
@pytest.mark.parametrize("user", ["ann", "nobody"])
def test_whose_listening_may_not_be_used_gets_what_is_popular(
    client: redis.Redis, home: Home, wishes: Preference, why: str, user: str
) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN}))
    found = served(client)
    assert found is not None
    expected = Recommended("song-b", 0.75, (Reason(why), Reason(POPULAR, value=0.75)))
    assert found.shelves(user, wishes) == {FOR_YOU: (expected,)}


def test_a_complete_copy_is_not_written_again(client: redis.Redis, home: Home) -> None:
    version = publish_shelves(home, "2026-01-08", {"ann": ANN})
    serve(client, version)
    before = client.info("commandstats")["cmdstat_hset"]["calls"]
    serve(client, version)
    assert client.info("commandstats")["cmdstat_hset"]["calls"] == before


def test_a_night_published_again_gets_a_copy_of_its_own(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN, "bob": BOB}))
    first = served(client)
    serve(client, publish_shelves(home, "2026-01-08", {"ann": BOB}))
    second = served(client)
    assert first is not None
    assert second is not None
    assert (second.shelves("ann", PLAIN), second.shelves("bob", PLAIN)) == (BOB, None)
    assert first.shelves("ann", PLAIN) == ANN, "whoever reads the old one still finds all of it"


def test_only_the_last_copies_and_the_one_in_service_stay(client: redis.Redis, home: Home) -> None:
    made = [publish_shelves(home, f"2026-01-{day:02d}", {"ann": ANN}) for day in range(1, 9)]
    for version in made:
        serve(client, version)
    assert len(client.hkeys(COPIES)) == KEPT
    serve(client, made[0])  # back to the first, which is written again, then on
    assert _version(client) == "2026-01-01"
    serve(client, made[-1])
    serve(client, made[-2])
    assert len(client.hkeys(COPIES)) <= KEPT + 1
    assert len(keys(client)) == len(client.hkeys(COPIES)) + 2, "ann's partition of each, the labels and the pointer"


def _version(client: redis.Redis) -> str:
    found = served(client)
    assert found is not None
    return found.label.version


def test_the_pointer_moves_after_the_callers_own(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN}))
    second = publish_shelves(home, "2026-01-09", {"ann": BOB})
    with copied(client, second, PARTITIONS):
        assert _version(client) == "2026-01-08"
    assert _version(client) == "2026-01-09"


def test_the_pointer_stays_where_the_callers_own_did_not_move(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN}))
    second = publish_shelves(home, "2026-01-09", {"ann": BOB})
    with suppress(KeyboardInterrupt), copied(client, second, PARTITIONS):
        raise KeyboardInterrupt
    assert _version(client) == "2026-01-08"


class Dies(redis.Redis):
    """A client that dies at its n-th word to Redis."""

    left = 0

    def execute_command(self, *args: object, **options: object) -> object:
        self._one_less()
        return super().execute_command(*args, **options)

    def pipeline(self, *args: object, **options: object) -> object:
        self._one_less()
        return super().pipeline(*args, **options)

    def _one_less(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_writer_that_dies_anywhere_leaves_what_is_served_whole(client: redis.Redis, home: Home) -> None:
    many = {f"listener-{i:03d}": ANN for i in range(600)}
    first, second = publish_shelves(home, "2026-01-08", {"ann": ANN}), publish_shelves(home, "2026-01-09", many)
    serve(client, first)
    for left in range(40):
        mortal = Dies(connection_pool=client.connection_pool)
        mortal.left = left
        try:
            serve(mortal, second)
        except KeyboardInterrupt:
            found = served(client)
            assert found is not None
            people = many if found.label.version == "2026-01-09" else {"ann": ANN}
            assert all(found.shelves(user, PLAIN) == shelves for user, shelves in people.items())
        else:
            break
    assert left > 10, "it died at many places before it lived"
    assert _version(client) == "2026-01-09"
    assert len(client.hkeys(COPIES)) == 2, "what the dead ones began is gone"


@pytest.mark.parametrize("count", [4_095, 4_096, 5_000])
def test_listeners_are_not_cut_where_batches_are(client: redis.Redis, home: Home, count: int) -> None:
    people = {f"listener-{i:05d}": ANN if i % 3 else BOB for i in range(count)}
    serve(client, publish_shelves(home, "2026-01-08", people))
    found = served(client)
    assert found is not None
    assert found.label.listeners == count
    assert all(found.shelves(user, PLAIN) == shelves for user, shelves in list(people.items())[-2_500:])


def test_a_version_without_shelves_serves_none(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {}))
    found = served(client)
    assert found is not None
    assert found.shelves("ann", PLAIN) is None


def test_a_redis_that_is_full_is_told_and_what_was_served_still_is(client: redis.Redis, home: Home) -> None:
    serve(client, publish_shelves(home, "2026-01-08", {"ann": ANN}))
    big = publish_shelves(home, "2026-01-09", {f"listener-{i:05d}": ANN for i in range(3_000)})
    client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 100_000)
    try:
        with pytest.raises(InfrastructureError, match="Redis did not take version '2026-01-09'"):
            serve(client, big)
    finally:
        client.config_set("maxmemory", 0)
    assert _version(client) == "2026-01-08"
    serve(client, big)
    assert _version(client) == "2026-01-09"


def test_a_file_that_is_broken_is_named(client: redis.Redis, home: Home) -> None:
    version = publish_shelves(home, "2026-01-08", {"ann": ANN})
    path = version.folder / "recommendations.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InfrastructureError, match=r"recommendations\.parquet cannot be read.*Run the version's night again"):
        serve(client, version)
    assert served(client) is None


def test_a_copy_that_redis_has_lost_a_part_of_is_no_copy(
    client: redis.Redis, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publish_shelves(home, "2026-01-08", {"ann": ANN, "bob": BOB})
    hlen: Callable[[str], int] = client.hlen
    monkeypatch.setattr(client, "hlen", lambda key: hlen(key) - (key.startswith("{p0}")))
    with pytest.raises(InfrastructureError, match="Redis holds 1 of 2 listeners"):
        serve(client, version)
    assert served(client) is None
