"""Long work of a member, done in a second thread while the first one stays in the group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from kafka import KafkaConsumer
from kafka.errors import KafkaError

POLL_MS = 200
PAUSE_S = 0.2
"""Between two attempts while a server is away."""

T = TypeVar("T")


@dataclass
class Patience:
    """Does one thing at a time; where it takes longer than ``long_s``, no partition gives records until it is done.

    ``taken`` are the partitions that were taken over: those of the assigned ones that read on behind it.
    """

    consumer: KafkaConsumer
    worker: ThreadPoolExecutor
    long_s: float
    taken: Mapping[int, int]

    def do(self, work: Callable[[], T]) -> T:
        """Do work, raise what it raises; meanwhile the group neither takes the member for dead nor waits for it."""
        doing = self.worker.submit(work)
        if not wait([doing], timeout=self.long_s).done:
            self.consumer.pause(*self.consumer.assignment())
            while not doing.done():
                self._stay(doing)
            self.consumer.resume(*(place for place in self.consumer.assignment() if place.partition in self.taken))
        return doing.result()

    def _stay(self, doing: Future[T]) -> None:
        """Poll for the group's sake; what comes nevertheless is read again later.

        Nothing is waited for between two polls: the client throws an answer to its joining away that comes then, and joins again.
        """
        try:
            for place, records in self.consumer.poll(timeout_ms=POLL_MS).items():
                self.consumer.seek(place, records[0].offset)
        except KafkaError:  # it comes again in the next turn's poll
            wait([doing], timeout=PAUSE_S)
