"""Who engages with what: the (listener, item) matrix that vectors, neighbours and recommendations are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from scipy.sparse import csr_array

from contract.catalogue import Catalogue


@dataclass(frozen=True)
class Engagement:
    """``matrix[i, j]`` is the engagement of ``users[i]`` with ``items[j]``, 0 where there is no listen; names ascend.

    ``country`` is where each listener was last, where anybody knows.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    matrix: csr_array
    country: Mapping[str, str] = field(default_factory=dict)

    def known(self, catalogue: Catalogue) -> Engagement:
        """Return the part whose items a catalogue knows."""
        which = [j for j, item in enumerate(self.items) if item in catalogue.items]
        return Engagement(self.users, tuple(self.items[j] for j in which), csr_array(self.matrix[:, which]), self.country)


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
    return Engagement(tuple(users.tolist()), tuple(items.tolist()), matrix, _countries(pairs))


def _countries(pairs: pa.Table) -> dict[str, str]:
    in_order = pairs.sort_by([("ts_ms", "ascending"), ("kafka_offset", "ascending")])
    return dict(zip(in_order.column("user_id").to_pylist(), in_order.column("country").to_pylist(), strict=True))
