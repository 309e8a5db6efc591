"""A chaos run: a log is sent piece by piece to a group of members, a fault between any two pieces; then all is compared.

What an undisturbed member and archiver make of the very log that Kafka then holds is one measure: of state, rows, rankings,
snapshots, served rows, dead letters and lake. Records that were published twice are one; none may be missing, none may be there
that the calm run does not have. The other measure is what the batch path computes from the lake, at midnights and as was served.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from contract.errors import CannotJudge
from contract.home import Home
from contract.keys import EVENTS, key
from contract.settings import load_settings
from lab.chaos.archiver import ArchiverProcess
from lab.chaos.calm import judge
from lab.chaos.faults import Injector, drawn
from lab.chaos.log import messages
from lab.chaos.members import MemberProcess, Post
from lab.chaos.parity import judge_parity
from lab.chaos.plan import FULL, SHORT, Outcome, Plan
from lab.chaos.servers import Servers, open_servers
from lab.chaos.versions import publish
from lab.job import open_job
from streaming.kafka_log import KafkaLog
from streaming.log import Message
from streaming.redis_store import connect
from streaming.testing import RedisProxy

__all__ = ["FULL", "SHORT", "Outcome", "Plan", "run"]

BEHIND = 2
"""How many pieces members may be behind before the next fault waits for them."""
PAUSE_S = 0.05


def run(plan: Plan, folder: Path, tell: Callable[[str], object] = lambda _: None) -> Outcome:
    """Run a plan below an empty folder.

    Raises:
        CannotJudge: the members or the archiver did not come to the end of the log in time.
        InfrastructureError: a server or Java is missing, or a server did not come back.
    """
    began = time.monotonic()
    home = Home(folder / "home")
    publish(home, plan.seed, plan.listeners)
    with ExitStack() as stack:
        servers = stack.enter_context(open_servers(folder / "servers", plan.partitions))
        log = KafkaLog(servers.kafka.address, plan.partitions)
        stack.callback(log.close)
        one = _Run(plan, servers, log, began + plan.seconds, tell)
        outcome = one.disturb(home, folder)
        judge(outcome, plan, log, servers.redis.address, home, folder / "calm")
    judge_parity(outcome, plan, open_job(load_settings(home=home.root)), home)
    outcome.seconds = time.monotonic() - began
    return outcome


@dataclass
class _Run:
    plan: Plan
    servers: Servers
    log: KafkaLog
    deadline: float
    tell: Callable[[str], object]

    def disturb(self, home: Home, folder: Path) -> Outcome:
        """Send the log in pieces, a fault behind each but the last; wait until all of it is done."""
        rng = random.Random(self.plan.seed)  # noqa: S311  # to be repeated, not to be a secret
        with self._group(home, folder) as (members, proxies, archiver):
            injector = Injector(rng, self.servers, members, proxies, archiver)
            self._until(self._taken_over, members)  # who took a partition over later would begin where the lake ends
            self._send(injector, drawn(rng, self.plan.faults))
            injector.wake()
            self._until(self._done, members)
            codes = [member.stop() for member in members]
            archived = self._archive(archiver)
        outcome = Outcome(sum(self.log.ends(EVENTS).values()), injector.done)
        said = [("A member", line) for member in members for line in member.said()]
        said += [("An archiver", line) for line in archiver.said()]
        outcome.refused = sum(line.startswith("A write was refused") for _, line in said)
        outcome.ended = [f"{who} ended by itself: {line}" for who, line in said if line.startswith("Ended")]
        outcome.wrong += [f"a member ended with {code} when it was asked to" for code in codes if code]
        outcome.wrong += [f"the archiver ended with {archived} over a whole log"] if archived else []
        return outcome

    def _send(self, injector: Injector, faults: Sequence[str]) -> None:
        plan = self.plan
        pieces = _pieces(messages(plan.seed, plan.events, plan.listeners, plan.partitions), plan.faults + 1)
        ends: list[dict[int, int]] = [{}] * BEHIND
        for piece, fault in zip(pieces, faults, strict=False):
            self.log.append(EVENTS, piece)
            ends.append(self.log.ends(EVENTS))
            injector.archiver.again()
            self.tell(fault)
            injector.make(fault)
            self._until(partial(self._reached, ends[-1 - BEHIND], plan.step_events), injector.members)
        self.log.append(EVENTS, pieces[-1])

    def _archive(self, archiver: ArchiverProcess) -> int:
        """Let the run of the archiver that is at work end, then one behind it; return its exit code."""
        for _ in range(2):
            archiver.again()
            code = archiver.ended(max(self.deadline - time.monotonic(), 0))
        if code is None:
            raise CannotJudge(f"The archiver did not come to the end in {self.plan.seconds:.0f} s")
        return code

    @contextmanager
    def _group(self, home: Home, folder: Path) -> Iterator[tuple[list[MemberProcess], list[RedisProxy], ArchiverProcess]]:
        with ExitStack() as stack:
            proxies = [stack.enter_context(RedisProxy(self.servers.redis.address)) for _ in range(self.plan.members)]
            members = []
            for number, proxy in enumerate(proxies):
                members.append(MemberProcess(self._post(home, proxy.url), folder / f"member-{number}.log"))
                stack.callback(members[-1].destroy)
                members[-1].start()
            archiver = ArchiverProcess(self._post(home, self.servers.redis.address), folder / "archiver.log")
            stack.callback(archiver.destroy)
            yield members, proxies, archiver

    def _post(self, home: Home, redis: str) -> Post:
        return Post(home.root, self.servers.kafka.address, redis, self.plan.partitions, self.plan.step_events)

    def _until(self, asked: Callable[[], bool], members: Sequence[MemberProcess]) -> None:
        while not asked():
            for member in members:
                if not member.alive():  # whoever owns members starts them again
                    member.start()
            if time.monotonic() > self.deadline:
                why = f"they stand at {self._stand()} of {self.log.ends(EVENTS)}"
                raise CannotJudge(f"The members did not come to the end in {self.plan.seconds:.0f} s", why)
            time.sleep(PAUSE_S)  # between two questions

    def _reached(self, ends: dict[int, int], slack: int = 0) -> bool:
        stand = self._stand()
        return all(stand.get(partition, 0) >= end - slack for partition, end in ends.items())

    def _taken_over(self) -> bool:
        return len(self._stand()) == self.plan.partitions

    def _done(self) -> bool:
        return self._reached(self.log.ends(EVENTS)) and self._published()

    def _stand(self) -> dict[int, int]:
        with connect(self.servers.redis.address) as client:
            found = {p: client.hget(key(p, "meta"), "offset") for p in range(self.plan.partitions)}
        return {p: int(offset) for p, offset in found.items() if offset is not None}

    def _published(self) -> bool:
        with connect(self.servers.redis.address) as client:
            return not any(client.xlen(key(p, "outbox")) for p in range(self.plan.partitions))


def _pieces(records: Sequence[Message], count: int) -> list[Sequence[Message]]:
    edges = [len(records) * i // count for i in range(count + 1)]
    return [records[start:end] for start, end in pairwise(edges)]
