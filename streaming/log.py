"""Where records come from and go to: Kafka, or a log in this process for the ``replay`` runner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

from contract.skew import RawRecord

Message = tuple[int, bytes | None, bytes]
"""Partition, key, value."""


class Log(Protocol):
    """Topics of partitions of records."""

    def append(self, topic: str, messages: Iterable[Message]) -> None:
        """Append messages, in order; they are acknowledged when this returns."""

    def read(self, topic: str, positions: Mapping[int, int]) -> dict[int, list[RawRecord]]:
        """Return some of the records from each partition's position on; nothing at all where all are at their end."""

    def ends(self, topic: str) -> dict[int, int]:
        """Return the offset behind the last record of each partition."""


class MemoryLog:
    """A log in this process."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._records: dict[tuple[str, int], list[RawRecord]] = defaultdict(list)

    def append(self, topic: str, messages: Iterable[Message]) -> None:
        """See ``Log.append``."""
        for partition, key, value in messages:
            records = self._records[topic, partition]
            records.append(RawRecord(len(records), key, value))

    def read(self, topic: str, positions: Mapping[int, int]) -> dict[int, list[RawRecord]]:
        """See ``Log.read``."""
        return {p: found for p, at in positions.items() if (found := self._records[topic, p][at:])}

    def ends(self, topic: str) -> dict[int, int]:
        """See ``Log.ends``."""
        return {partition: len(self._records[topic, partition]) for partition in range(self._partitions)}
