"""A skew begins on a live path that runs: at exactly the recorded offsets, whether members are behind or idle."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.errors import InfrastructureError, UsageError
from contract.home import Home
from contract.keys import EVENTS
from contract.settings import Settings
from contract.skew import Acting
from lab.inject import claimed, inject, require_unpassed
from lab.overrides import Override, read_overrides, record, recorded
from lab.skews import Request, find
from lab.stack import Stack
from streaming.log import MemoryLog
from streaming.member import Member
from streaming.overrides import Overrides
from streaming.store import Fenced, MemoryStore
from tests.live import PARTITIONS, InParts, running, stands
from tests.logs import home_of, listeners_of
from tests.saying import Say
from tests.servers import Servers, emptied
from tests.toylake import ToyLog, encoded, event

SKEW = "duplicates-counted"
START_MS = 1_767_225_600_000


def settings_of(servers: Servers, home: Home) -> Settings:
    return Settings(home=home.root, stack="external", kafka=servers.kafka, redis=servers.redis, partitions=PARTITIONS)


def under(sent: InParts, home: Home, part: int, *acting: Acting) -> dict[int, object]:
    """The states behind a part, of one undisturbed member under skews."""
    paths = {p: sent.toy.path(home, p, Overrides(acting)) for p in range(PARTITIONS)}
    for partition, path in paths.items():
        sent.toy.consume(path, upto=sent._end(part)[partition])
    return {partition: encoded(path.states) for partition, path in paths.items()}


@pytest.fixture
def stack(servers: Servers) -> Servers:
    return emptied(servers, PARTITIONS)


def test_a_running_member_acts_from_the_recorded_offsets_on(stack: Servers, tmp_path: Path) -> None:
    sent, (home, _) = InParts(stack, 2), home_of(tmp_path / "home")
    with running(stack, home) as one:
        one.member.recorded = lambda: Overrides(read_overrides(home))
        sent.send(0)
        sent.consumed_to(0)
        done = inject(settings_of(stack, home), Request(SKEW, 1.0), seed=7)
        assert done.override.onset == sent._end(0) == stands(stack)
        sent.send(1)
        sent.consumed_to(1)
    assert [one.skew for one in recorded(home)] == [SKEW]
    assert sent.stored(home) == under(sent, home, 1, Acting(find(SKEW)(1.0, 7), sent._end(0)))
    assert sent.stored(home) != under(sent, home, 1)
    with pytest.raises(UsageError, match=rf"'{SKEW}' acts already: .*overrides.json says so. End it: 'skewlab heal'"):
        inject(settings_of(stack, home), Request(SKEW, 0.5), seed=7)


def test_a_member_that_is_behind_acts_when_it_gets_there(stack: Servers, tmp_path: Path) -> None:
    sent, (home, _) = InParts(stack, 3), home_of(tmp_path / "home")
    with running(stack, home):
        sent.send(0)
        sent.consumed_to(0)
    sent.send(1)
    inject(settings_of(stack, home), Request(SKEW, 1.0), seed=7)
    sent.send(2)
    with running(stack, home) as one:
        one.member.recorded = lambda: Overrides(read_overrides(home))
        sent.consumed_to(2)
    assert sent.stored(home) == under(sent, home, 2, Acting(find(SKEW)(1.0, 7), sent._end(1)))


def toy(folder: Path) -> tuple[Stack, Home, ToyLog]:
    """A stack in this process and a log of two events of one listener, of which none is consumed."""
    home, _ = home_of(folder)
    user, log = listeners_of(0, 1)[0], ToyLog(1)
    log.send(event(user, "song-a", START_MS), event(user, "song-b", START_MS + 1))
    stack = Stack(MemoryLog(1), MemoryStore())
    stack.log.append(EVENTS, [(0, record.key, record.value or b"") for record in log.records[0]])
    return stack, home, log


def owner(stack: Stack, home: Home) -> Member:
    member = Member(home, stack.store, 1, 1)
    member.take_over(0)
    return member


def test_who_owns_a_partition_cannot_write_it_before_it_has_read_what_is_recorded(tmp_path: Path) -> None:
    stack, home, log = toy(tmp_path)
    member = owner(stack, home)
    member.recorded = lambda: Overrides(read_overrides(home))
    held = claimed(stack)
    record(home, [Override.of(Acting(find(SKEW)(1.0, 7), {0: 1}))])
    require_unpassed(stack, held, {0: 1}, "begins")
    with pytest.raises(Fenced):
        member.feed(0, log.records[0][:1])
    assert member.take_over(0) == 0
    member.feed(0, log.records[0][:1])
    assert [skew.id for skew in member.overrides.at(0, 1).skews] == [SKEW]
    assert member.overrides.at(0, 0).skews == ()


def test_a_member_that_was_faster_but_not_past_the_cut_is_stopped_once_more(tmp_path: Path) -> None:
    stack, home, log = toy(tmp_path)
    owner(stack, home)
    held = claimed(stack)
    faster = owner(stack, home)
    faster.feed(0, log.records[0][:1])
    require_unpassed(stack, held, {0: 1}, "begins")
    with pytest.raises(Fenced):
        faster.feed(0, log.records[0][1:])


def test_a_member_that_was_faster_and_past_the_cut_is_told_of(tmp_path: Path) -> None:
    stack, home, log = toy(tmp_path)
    held = claimed(stack)
    owner(stack, home).feed(0, log.records[0])
    with pytest.raises(InfrastructureError, match=r"not certain where the skew begins in partition 0: .* from offset 1 to 2"):
        require_unpassed(stack, held, {0: 1}, "begins")


def test_what_is_recorded_is_read_back_with_its_ends(tmp_path: Path) -> None:
    home, skew = Home(tmp_path), find(SKEW)(0.5, 3)
    assert recorded(home) == []
    lingers, history = Override.of(Acting(skew, {0: 5}, {0: 9})), Override.of(Acting(skew, {0: 2}, {0: 4}), rebuilt=True)
    record(home, [history, lingers, Override.of(Acting(skew, {0: 12}))])
    assert recorded(home)[:2] == [history, lingers]
    assert [(one.skew.severity, one.skew.seed, one.onset, one.until) for one in read_overrides(home)] == [
        (0.5, 3, {0: 5}, {0: 9}),
        (0.5, 3, {0: 12}, {}),
    ]
    assert lingers.ended({0: 99}) == lingers
    home.overrides.write_bytes(b"[{}]")
    with pytest.raises(UsageError, match="is broken"):
        recorded(home)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("podcast-resume",), "No stack runs in this home. Start one: 'skewlab stack up'."),
        (("podcast-resume", "--stack", "replay"), "The replay runner is no stack"),
        (("podcast-resume@2",), "What is injected begins now, and ends with 'skewlab heal'. Leave out the days."),
        (("podcast-resume@0-3",), "What is injected begins now"),
        (("gradual-drift",), "'gradual-drift' cannot be injected into a live path: it is of the side 'world'."),
        (("nothing",), "There is no skew 'nothing'"),
        (("podcast-resume:2",), "The severity 2 of 'podcast-resume' is out of range"),
        (("own.py",), "There is no file own.py"),
    ],
)
def test_what_cannot_be_injected_is_refused(say: Say, call: tuple[str, ...], says: str) -> None:
    assert say("inject", *call).refusal.startswith(says)
