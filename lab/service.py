"""Bring a published version into service: a night's new one, or an old one again.

1. the version's copy is written to Redis, beside what is served;
2. ``versions/CURRENT`` names it: from here on the home serves it;
3. Redis' pointer names its copy;
4. an activation in every partition of the log: the live path takes the version up where it reads it;
5. a line in the audit log.

Each part may be done again. What stops between two of them is mended by the same command; nothing is ever served by half.
Without a stack that can be reached, 2 and 5 are all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from batch.online import copied
from contract.errors import SkewlabError
from contract.keys import EVENTS
from contract.lock import locked
from contract.records import Activation, encode
from contract.settings import Settings
from contract.versions import Version, Versions
from lab.audit import note
from lab.stack import Stack, addresses, open_stack
from streaming.redis_store import connect


@dataclass(frozen=True)
class InService:
    """What came into service instead of what; ``partitions`` counts those of the log that were told, 0 without a stack."""

    version: str
    before: str
    partitions: int

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {"version": self.version, "before": self.before, "stack": self.partitions > 0, "partitions": self.partitions}

    def lines(self) -> list[str]:
        """Return it for people."""
        changed = "was in service already" if self.version == self.before else f"is in service instead of {self.before}"
        told = f"Redis has its copy, and all {self.partitions} partitions of the log its activation: the live path follows."
        alone = "No stack was reachable, so only the pointer in the home was moved: no copy in Redis, no word to the live path."
        return [f"Version {self.version} {changed}.", told if self.partitions else alone]


def put_in_service(settings: Settings, name: str, command: str) -> InService:
    """Bring a published version into service; ``command`` is what the audit log calls the reason.

    Raises:
        UsageError: there is no such version.
        InfrastructureError: a stack that should be there does not answer, or something cannot be written.
    """
    home = settings.places
    versions = Versions(home.versions)
    version = versions.get(name)
    with locked(home.versions / ".service.lock", wait=True):
        before = versions.current
        if reachable(settings):
            with open_stack(settings) as stack:
                partitions = _told(stack, versions, version)
        else:
            partitions = 0
            versions.point_to(name)
        note(home, command, name, before, stack=partitions > 0)
    return InService(name, before, partitions)


def reachable(settings: Settings) -> bool:
    """Tell whether the settings name a stack that runs apart from this program."""
    try:
        addresses(settings)
    except SkewlabError:
        return False
    return True


def point_both(redis: str, versions: Versions, version: Version, partitions: int) -> None:
    """Have a version's copy in the Redis at an address, then move the home's pointer and that of Redis.

    Raises:
        InfrastructureError: Redis is away or full: then nothing has moved.
    """
    with connect(redis) as client, copied(client, version, partitions):  # 1, 3
        versions.point_to(version.name)  # 2


def _told(stack: Stack, versions: Versions, version: Version) -> int:
    partitions = sorted(stack.log.ends(EVENTS))
    point_both(stack.redis, versions, version, len(partitions))
    stack.log.append(EVENTS, ((partition, None, encode(Activation(version.name))) for partition in partitions))  # 4
    return len(partitions)
