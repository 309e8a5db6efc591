"""Who engages with what: the (listener, item) matrix that vectors, neighbours and recommendations are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from scipy.sparse import csr_array

from contract.catalogue import Catalogue
from contract.features import FeatureConstants


@dataclass(frozen=True)
class Engagement:
    """``matrix[i, j]`` is the engagement of ``users[i]`` with ``items[j]``, 0 where there is no listen; names ascend."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    matrix: csr_array

    def known(self, catalogue: Catalogue) -> Engagement:
        """Return the part whose items a catalogue knows."""
        which = [j for j, item in enumerate(self.items) if item in catalogue.items]
        return Engagement(self.users, tuple(self.items[j] for j in which), csr_array(self.matrix[:, which]))


def engagement(listens: DataFrame) -> Engagement:
    """Collect the pairs of a night's listens."""
    pairs = listens.groupBy("user_id", "item_id").agg(F.max("tenths").alias("tenths")).toArrow()
    user_ids, item_ids = (pairs.column(name).to_numpy(zero_copy_only=False).astype(str) for name in ("user_id", "item_id"))
    users, row = np.unique(user_ids, return_inverse=True)
    items, column = np.unique(item_ids, return_inverse=True)
    values = pairs.column("tenths").to_numpy() / 10
    matrix = csr_array((values, (row, column)), (len(users), len(items)))
    matrix.sort_indices()
    return Engagement(tuple(users.tolist()), tuple(items.tolist()), matrix)


def skipped_only(constants: FeatureConstants) -> float:
    """Return the engagement up to which an item counts as not really heard."""
    return constants.skip_tenths / 10
