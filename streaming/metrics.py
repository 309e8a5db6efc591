"""What a live member tells Prometheus: counters and histograms of its own registry, and a server for them on loopback.

All is counted per step or per poll, never per event. Wall clock is read here and nowhere else on the live path: no feature and
no row may depend on it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from contract.errors import InfrastructureError
from streaming.step import Step

LOOPBACK = "127.0.0.1"
_PREFIX = "skewlab_stream"
_STEP_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_FRESH_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_TAKEOVER_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class LiveMetrics:
    """The metrics of one member, in a registry of its own; ``docs/live.md`` lists them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._told: set[int] = set()
        self._lag = self._gauge("lag_records", "End of the partition less the position.", ["partition"])
        self._partitions = self._gauge("partitions", "Partitions that this member has.")
        self._records = self._counter("records", "Records that steps took, control records and bad ones too.")
        self._events = self._counter("events", "Events that steps counted, duplicates among them too.")
        self._dead = self._counter("dead_letters", "Bad records by reason.", ["reason"])
        self.redeliveries = self._counter("redeliveries", "Records at offsets that were counted already; they were left out.")
        self.rebalances = self._counter("rebalances", "Rebalances that gave this member partitions or took some away.")
        self.fenced = self._counter("fenced_writes", "Steps that the store refused: the partition had another owner.")
        self.outages = self._counter("outages", "Times at which Kafka or Redis was away.")
        self.rebuilds = self._counter("rebuilds", "States made anew from the lake: Kafka did not hold the next offset any more.")
        self.published = self._counter("published", "Entries of the outbox that Kafka acknowledged.")
        self._step = self._histogram("step_seconds", "From a step's records to its write's acknowledgement.", _STEP_S)
        self._fresh = self._histogram("freshness_seconds", "From Kafka's receipt to the store: a step's oldest record.", _FRESH_S)
        self._takeover = self._histogram("takeover_seconds", "How long a partition's state took to read or rebuild.", _TAKEOVER_S)

    def _gauge(self, name: str, told: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", told, labels, registry=self.registry)

    def _counter(self, name: str, told: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"{_PREFIX}_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", told, buckets=buckets, registry=self.registry)

    def stepped(self, steps: Sequence[Step], records: int, seconds: float, oldest_ms: int) -> None:
        """Count steps that were written just now.

        Args:
            steps: what was done with the records; where they were several, each is said to have taken a like part of the time.
            records: how many there were.
            seconds: how long it took.
            oldest_ms: when Kafka got the first of them, epoch ms; -1 where it does not say.
        """
        self._records.inc(records)
        if not steps:
            return
        self._events.inc(sum(step.counted for step in steps))
        for _ in steps:
            self._step.observe(seconds / len(steps))
        if oldest_ms >= 0:
            self._fresh.observe(max(time.time() - oldest_ms / 1000, 0))
        for reason, count in Tally(letter.reason for step in steps for letter in step.dead).items():
            self._dead.labels(reason).inc(count)

    def took_over(self, seconds: float) -> None:
        """Count a partition that was taken over."""
        self._takeover.observe(seconds)

    def stands(self, lags: dict[int, int]) -> None:
        """Tell how far each partition of this member is behind its end; others are no more told of."""
        self._partitions.set(len(lags))
        for gone in self._told - lags.keys():
            self._lag.remove(str(gone))
        self._told = set(lags)
        for partition, lag in lags.items():
            self._lag.labels(str(partition)).set(lag)


@contextmanager
def served(metrics: LiveMetrics, port: int) -> Iterator[int]:
    """Serve ``/metrics`` on loopback meanwhile; give the port, a free one where 0 was asked for.

    Raises:
        InfrastructureError: the port is taken.
    """
    try:
        server, thread = start_http_server(port, LOOPBACK, metrics.registry)
    except OSError as error:
        raise InfrastructureError(f"Port {port} is taken", str(error), "Free it, or choose another --metrics-port") from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        _ended(thread)


def _ended(thread: threading.Thread) -> None:
    thread.join(timeout=5)
