"""A server that is away for a moment is waited for; one that refuses, or stays away, ends the member with one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from kafka.errors import KafkaError

from contract.errors import InfrastructureError

_AWAY = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
)


def passes(error: InfrastructureError) -> bool:
    """Tell whether waiting may help: Kafka or Redis is away; nothing was refused, nothing is missing."""
    cause = error.__cause__
    return isinstance(cause, _AWAY) or (isinstance(cause, KafkaError) and bool(cause.retriable))


@dataclass
class Outage:
    """One member's patience, in s, and since when it is needed (monotonic s)."""

    patience_s: float
    tell: Callable[[str], None]
    began: Callable[[], object] = lambda: None
    since: float | None = None

    def bear(self, error: InfrastructureError) -> None:
        """Bear an error, or raise it where waiting does not help or was in vain."""
        if not passes(error):
            raise error
        now = time.monotonic()
        if self.since is None:
            self.since = now
            self.began()
            self.tell(f"{error} Waiting up to {self.patience_s:.0f} s.")
        elif now - self.since > self.patience_s:
            raise error

    def over(self) -> None:
        """Note that all is well."""
        if self.since is not None:
            self.tell(f"All is well again after {time.monotonic() - self.since:.1f} s.")
            self.since = None
