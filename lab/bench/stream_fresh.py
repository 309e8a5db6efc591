"""Freshness: how long after the collector received an event its listener's row can be read in Redis."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import redis
from numpy.typing import NDArray

from contract.keys import key
from contract.rows import Floats
from lab.bench.watching import repeatedly

PROBE_S = 0.003
"""Where the store stands is asked this often; a figure is too high by up to that much, never too low."""


@dataclass
class Probe:
    """When (s, monotonic) each partition's stored offset was seen to be how far; a step's rows are there with its offset."""

    client: redis.Redis
    partitions: int
    times: list[float] = field(default_factory=list)
    offsets: list[list[int]] = field(default_factory=list)

    def look(self) -> list[int]:
        """Look once; return the offsets, 0 where a partition has none."""
        pipeline = self.client.pipeline(transaction=False)
        for partition in range(self.partitions):
            pipeline.hget(key(partition, "meta"), "offset")
        found = [int(offset or 0) for offset in cast(list[bytes | None], pipeline.execute())]
        self.times.append(time.monotonic())
        self.offsets.append(found)
        return found

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look again and again meanwhile; garbage is not looked for among what is there now, which would stop the looking."""
        gc.freeze()
        try:
            with repeatedly(self.look, PROBE_S):
                yield
        finally:
            gc.unfreeze()
        self.look()


def delays(probe: Probe, first: Mapping[int, int], partitions: Sequence[int], received: Sequence[float]) -> Floats:
    """Return seconds from received to readable of messages, NaN where one was not seen to become readable.

    ``partitions`` and ``received`` are aligned; message i of a partition has the offset ``first[partition] + i``.
    """
    times, offsets = np.append(probe.times, np.nan), np.array(probe.offsets).reshape(-1, probe.partitions)
    place, sent = np.array(partitions), np.array(received)
    found: NDArray[np.float64] = np.empty(len(sent))
    for partition, start in first.items():
        mine = np.flatnonzero(place == partition)
        readable = np.searchsorted(offsets[:, partition], start + np.arange(len(mine)), side="right")
        found[mine] = times[readable] - sent[mine]
    return found
