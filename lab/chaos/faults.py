"""The faults of a chaos run: which, in an order that the seed decides, and how each is made."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lab.chaos.archiver import ArchiverProcess
from lab.chaos.members import MemberProcess
from lab.chaos.servers import Servers
from streaming.testing import RedisProxy

WEIGHTS = {
    "a member is killed": 40,
    "a reply of Redis is lost": 30,
    "a request to Redis is lost": 6,
    "connections to Redis are cut": 10,
    "a member is paused, and wakes later": 4,
    "Redis is killed and starts on its data": 7,
    "Kafka is killed and starts on its data": 3,
    "the archiver is killed": 10,
}
ARCHIVING_S = (0.25, 0.6)
"""From when to when a run of the archiver writes, about; before, it connects to its servers. It is killed in between."""


def drawn(rng: random.Random, count: int) -> list[str]:
    """Return so many faults, each kind at least once where there is room for it."""
    kinds = list(WEIGHTS)
    found = kinds[:count] + rng.choices(kinds, list(WEIGHTS.values()), k=max(0, count - len(kinds)))
    rng.shuffle(found)
    return found


@dataclass
class Injector:
    """Makes faults happen to some members, each behind a proxy of its own, to the archiver, and to the servers."""

    rng: random.Random
    servers: Servers
    members: Sequence[MemberProcess]
    proxies: Sequence[RedisProxy]
    archiver: ArchiverProcess
    done: Counter[str] = field(default_factory=Counter)
    _asleep: list[tuple[int, MemberProcess]] = field(default_factory=list)

    def make(self, kind: str) -> None:
        """Make one fault happen; those that slept long enough are woken first."""
        self.wake(later=True)
        self._makers()[kind]()
        self.done[kind] += 1

    def wake(self, *, later: bool = False) -> None:
        """Wake all that sleep; with ``later`` only those that have slept through two more faults."""
        left = [(turns - 1, member) for turns, member in self._asleep]
        self._asleep = [(turns, member) for turns, member in left if later and turns > 0]
        for turns, member in left:
            if not later or turns <= 0:
                member.wake()

    def _makers(self) -> dict[str, Callable[[], None]]:
        proxy, command, nth = self.rng.choice(self.proxies), self.rng.choice(("EVALSHA", None)), self.rng.randint(1, 3)
        member, after_s = self.rng.choice(self.members), self.rng.uniform(*ARCHIVING_S)
        makers = (
            lambda: self._kill(member),
            lambda: proxy.lose_reply(command, nth),
            lambda: proxy.lose_request(command, nth),
            proxy.cut,
            lambda: self._pause(member),
            lambda: self._restart(self.servers.redis.kill, self.servers.redis.start),
            lambda: self._restart(self.servers.kafka.kill, self.servers.kafka.start),
            lambda: self._kill_archiver(after_s),
        )
        return dict(zip(WEIGHTS, makers, strict=True))

    def _kill(self, member: MemberProcess) -> None:
        self._asleep = [(turns, one) for turns, one in self._asleep if one is not member]
        member.kill()
        member.start()

    def _pause(self, member: MemberProcess) -> None:
        if all(one is not member for _, one in self._asleep):
            member.pause()
            self._asleep.append((2, member))

    def _kill_archiver(self, after_s: float) -> None:
        self.archiver.again()
        while self.archiver.ended(after_s) is not None:  # it was faster
            self.archiver.start()
            after_s /= 2
        self.archiver.destroy()

    @staticmethod
    def _restart(kill: Callable[[], None], start: Callable[[], None]) -> None:
        kill()
        start()
