"""Training rows that know what came after them."""

from __future__ import annotations

import pyarrow as pa

from contract.skew import Skew
from contract.windows import HOUR_MS

DAY_H = 24


class PointInTimeLeak(Skew):
    """The ranker's training rows are as of some hours after their midnight: the day that is to be predicted is in them."""

    id = "point-in-time-leak"
    title = "Training rows see what happened after them"
    story = (
        "The training set joins a label with the features of the end of the same day, not of its beginning. Offline the ranker "
        "looks better than it is, for no request can know its own future. Both paths agree on every row that is served, so "
        "parity stays silent; only the training rows, held against what was served at their midnights, show it."
    )
    sources = (
        "https://github.com/feast-dev/feast/issues/6615",
        "https://developers.google.com/machine-learning/guides/rules-of-ml/",
    )
    side = "batch"
    group = "time"
    evidence = "A"
    moves = ()
    seen_by = ("training",)
    parameter = "hours that training rows look ahead, up to 24"
    value_name, unit, worst = "leak", "h", DAY_H
    tries = (1, 2, 3, 6, 12, 24)
    fix = "Join features as of the label's instant and cut: batch/weekly.py, or train on what was logged when it was served"

    def batch_training(self, spine: pa.Table) -> pa.Table:
        """Ask for later instants, and count all that the night has, since what ended later arrived later."""
        ahead = round(self.value * HOUR_MS)
        if not ahead:
            return spine
        later = pa.array(spine.column("as_of_ms").to_numpy() + ahead)
        return _with(_with(spine, "as_of_ms", later), "cut", spine.column("cut_after"))


def _with(spine: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return spine.set_column(spine.schema.get_field_index(name), name, column)
