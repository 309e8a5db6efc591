"""Who engages with what: the (listener, item) matrix that vectors, neighbours and recommendations are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from scipy.sparse import csr_array

from contract.catalogue import Catalogue
from contract.event import DEVICES, Ints
from contract.windows import HOUR_MS, MINUTE_MS

PARTS = ("night", "morning", "afternoon", "evening")
"""The parts of a listener's local day, six hours each, from midnight."""


@dataclass(frozen=True)
class Contexts:
    """When and on what everybody plays each item: plays by ``PARTS`` (items, 4) and by ``DEVICES`` (items, 5)."""

    parts: Ints
    devices: Ints

    @staticmethod
    def none(items: int) -> Contexts:
        """Nobody has played anything."""
        return Contexts(np.zeros((items, len(PARTS)), np.int64), np.zeros((items, len(DEVICES)), np.int64))


@dataclass(frozen=True)
class Engagement:
    """``matrix[i, j]`` is the engagement of ``users[i]`` with ``items[j]``, 0 where there is no listen; names ascend.

    ``country`` is where each listener was last, where anybody knows; ``contexts`` is aligned with the items.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    matrix: csr_array
    country: Mapping[str, str] = field(default_factory=dict)
    contexts: Contexts | None = None

    def known(self, catalogue: Catalogue) -> Engagement:
        """Return the part whose items a catalogue knows."""
        which = [j for j, item in enumerate(self.items) if item in catalogue.items]
        items = tuple(self.items[j] for j in which)
        contexts = Contexts(self.contexts.parts[which], self.contexts.devices[which]) if self.contexts else None
        return Engagement(self.users, items, csr_array(self.matrix[:, which]), self.country, contexts)


def engagement(listens: DataFrame) -> Engagement:
    """Collect the pairs of a night's listens."""
    last = F.max(F.struct("ts_ms", "kafka_offset", "country"))
    found = listens.groupBy("user_id", "item_id").agg(F.max("tenths").alias("tenths"), last.alias("last"))
    pairs = found.select("user_id", "item_id", "tenths", "last.*").toArrow()
    user_ids, item_ids = (pairs.column(name).to_numpy(zero_copy_only=False).astype(str) for name in ("user_id", "item_id"))
    users, row = np.unique(user_ids, return_inverse=True)
    items, column = np.unique(item_ids, return_inverse=True)
    values = pairs.column("tenths").to_numpy() / 10
    matrix = csr_array((values, (row, column)), (len(users), len(items)))
    matrix.sort_indices()
    return Engagement(tuple(users.tolist()), tuple(items.tolist()), matrix, _countries(pairs), _contexts(listens, items))


def _contexts(listens: DataFrame, items: np.ndarray) -> Contexts:
    local_hour = F.pmod(F.floor((F.col("ts_ms") + F.col("utc_offset_min") * F.lit(MINUTE_MS)) / F.lit(HOUR_MS)), F.lit(24))
    plays = listens.where("play").withColumn("part", F.floor(local_hour / F.lit(24 // len(PARTS))).cast("int"))
    found = plays.groupBy("item_id", "part", "device").agg(F.count("*").alias("plays")).toArrow()
    contexts = Contexts.none(len(items))
    item = np.searchsorted(items, found.column("item_id").to_numpy(zero_copy_only=False).astype(str))
    device = pc.index_in(found.column("device"), value_set=pa.array(DEVICES)).to_numpy()
    count = found.column("plays").to_numpy()
    np.add.at(contexts.parts, (item, found.column("part").to_numpy()), count)
    np.add.at(contexts.devices, (item, device), count)
    return contexts


def _countries(pairs: pa.Table) -> dict[str, str]:
    in_order = pairs.sort_by([("ts_ms", "ascending"), ("kafka_offset", "ascending")])
    return dict(zip(in_order.column("user_id").to_pylist(), in_order.column("country").to_pylist(), strict=True))
