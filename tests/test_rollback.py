"""Bringing a version into service, with and without a stack; and what is recommended from it, by either path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.errors import InfrastructureError, UsageError
from contract.home import Home
from contract.keys import EVENTS, key
from contract.preferences import Preference
from contract.settings import Settings
from contract.versions import INITIAL, Versions
from lab.audit import audit_log, entries
from lab.pipeline import Pipeline
from lab.service import put_in_service
from lab.stack import open_stack
from lab.stack.embedded import down, up
from serving.copy import served
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from tests.saying import Say
from tests.shelves import ANN, BOB, CATALOGUE, publish_shelves
from tests.test_serving import ANN as ROW
from tests.test_serving import commit, stored

FIRST, SECOND = "2026-01-08", "2026-01-09"
PARTITIONS = 2


def nights(home: Home) -> Versions:
    """Publish two nights' versions; the second is in service."""
    versions = Versions(home.versions)
    versions.publish_initial(CATALOGUE)
    publish_shelves(home, FIRST, {"ann": ANN})
    publish_shelves(home, SECOND, {"ann": BOB})
    versions.point_to(SECOND)
    return versions


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    nights(found)
    return found


def test_without_a_stack_the_pointer_alone_moves_and_that_is_said(say: Say, home: Home) -> None:
    said = say("rollback", FIRST, "--home", home.root)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"Version {FIRST} is in service instead of {SECOND}.",
        "No stack was reachable, so only the pointer in the home was moved: no copy in Redis, no word to the live path.",
    ]
    assert Versions(home.versions).current == FIRST
    document = say("rollback", INITIAL, "--home", home.root, "--json").document
    assert document == {"version": INITIAL, "before": FIRST, "stack": False, "partitions": 0}
    assert Versions(home.versions).current == INITIAL


def test_the_version_in_service_may_be_named_again(say: Say, home: Home) -> None:
    assert say("rollback", SECOND, "--home", home.root).out.startswith(f"Version {SECOND} was in service already.")


def test_an_unknown_version_is_refused_with_those_that_exist(say: Say, home: Home) -> None:
    line = say("rollback", "2026-01-10", "--home", home.root).refusal
    assert line.startswith("There is no version '2026-01-10'")
    assert f"there are {INITIAL}, {FIRST}, {SECOND}" in line
    assert Versions(home.versions).current == SECOND
    assert not audit_log(home).exists()


def test_a_home_without_versions_has_none_to_go_back_to(say: Say, tmp_path: Path) -> None:
    assert "there is none at all" in say("rollback", FIRST, "--home", tmp_path / "new").refusal


def test_every_move_is_in_the_audit_log(home: Home) -> None:
    settings = Settings(home=home.root)
    put_in_service(settings, FIRST, "rollback")
    put_in_service(settings, SECOND, "night")
    found = entries(home)
    assert [(e.command, e.version, e.before, e.stack) for e in found] == [
        ("rollback", FIRST, SECOND, False), ("night", SECOND, FIRST, False),
    ]  # fmt: skip
    assert found[0].at <= found[1].at
    with audit_log(home).open("ab") as file:
        file.write(b'{"at": "half a li')
    assert entries(home) == found


def test_a_stack_that_does_not_answer_stops_it_before_anything_moves(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.kafka_log.CLIENT", {"bootstrap_timeout_ms": 500, "request_timeout_ms": 500})
    away = Settings(home=home.root, stack="external", kafka="127.0.0.1:1", redis="redis://127.0.0.1:1/0")
    with pytest.raises(InfrastructureError, match="Kafka at"):
        put_in_service(away, FIRST, "rollback")
    assert Versions(home.versions).current == SECOND
    assert entries(home) == []


def test_the_list_marks_what_is_in_service(say: Say, home: Home) -> None:
    lines = say("versions", "--home", home.root).out.splitlines()
    assert lines[0].split() == ["version", "listeners", "ranker", "vectors", "of", "computed", "with"]
    assert [line[:12].split() for line in lines[1:]] == [[INITIAL], [FIRST], ["*", SECOND]]
    assert lines[2].split() == [FIRST, "1", "none", FIRST, INITIAL]
    document = say("versions", "--home", home.root, "--json").document
    assert (document["current"], [one["version"] for one in document["versions"]]) == (SECOND, [INITIAL, FIRST, SECOND])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with two nights whose Kafka and Redis are kept."""
    home = Home(tmp_path_factory.mktemp("home"))
    nights(home)
    up(home.root, PARTITIONS)
    yield home
    down(home.root)


def settings(home: Home) -> Settings:
    return Settings(home=home.root, partitions=PARTITIONS)


@pytest.mark.stack
def test_redis_and_the_live_path_follow(kept: Home) -> None:
    done = put_in_service(settings(kept), FIRST, "rollback")
    assert (done.version, done.before, done.partitions) == (FIRST, SECOND, PARTITIONS)
    assert done.lines()[1] == "Redis has its copy, and all 2 partitions of the log its activation: the live path follows."
    with open_stack(settings(kept)) as stack, connect(stack.redis) as client:
        copy = served(client)
        assert copy is not None
        assert copy.label.version == FIRST
        assert copy.shelves("ann", Preference()) == ANN
        member = Member(kept, stack.store, PARTITIONS, None)
        pipeline = Pipeline(kept, stack.log, stack.store, member, PARTITIONS)
        pipeline.open()
        assert pipeline.consume().records == PARTITIONS
        assert client.hget(key(0, "meta"), "version") == client.hget(key(1, "meta"), "version") == FIRST.encode()


@pytest.mark.stack
def test_the_initial_version_serves_nobody_and_back_again(kept: Home) -> None:
    for name, shelves in ((INITIAL, None), (SECOND, BOB)):
        put_in_service(settings(kept), name, "rollback")
        with open_stack(settings(kept)) as stack, connect(stack.redis) as client:
            copy = served(client)
            assert copy is not None
            assert copy.label.version == Versions(kept.versions).current == name
            assert copy.shelves("ann", Preference()) == shelves


@pytest.mark.stack
def test_a_mistake_moves_nothing(kept: Home) -> None:
    before = Versions(kept.versions).current
    with open_stack(settings(kept)) as stack:
        ends = stack.log.ends(EVENTS)
        with pytest.raises(UsageError, match="There is no version"):
            put_in_service(settings(kept), "nothing", "rollback")
        assert stack.log.ends(EVENTS) == ends
    assert Versions(kept.versions).current == before


@pytest.mark.stack
def test_what_the_live_path_recommends_is_told_from_its_row(kept: Home, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKEWLAB_PARTITIONS", str(PARTITIONS))
    with open_stack(settings(kept)) as stack, connect(stack.redis) as client:
        store = RedisStore(client)
        store.clear(0)
        commit(store, 0, 0, 7, stored({**ROW, "version": FIRST}))
    told = say("recommend", "ann", "--from", "live", "--home", kept.root, "--json").document
    assert (told["user"], told["from"], told["version"]) == ("ann", "live", FIRST)
    assert [(show["show"], show["score"]) for show in told["shows"]] == [("show-b", 0.75), ("show-a", 0.5)]
    lines = say("recommend", "ann", "--from", "live", "--home", kept.root).out.splitlines()
    assert lines == ["Shows you might like, by the live path, as of 8 January 2026, 00:00 UTC:", " 1. show-b", " 2. show-a"]
    assert "The live path knows no listener 'nobody'" in say("recommend", "nobody", "--from", "live", "--home", kept.root).refusal
    assert "has no shelves" in say("recommend", "ann", "--from", "live", "--shelf", "for-you", "--home", kept.root).refusal


def test_without_a_stack_the_live_path_recommends_nothing(say: Say, home: Home) -> None:
    assert "No stack runs in this home" in say("recommend", "ann", "--from", "live", "--home", home.root).refusal
