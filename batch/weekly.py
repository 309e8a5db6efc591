"""What a night trains once a week, and carries on in between: the item vectors and the ranker."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from batch.listens import Job
from batch.ranker import show_facts, train
from batch.training import MIDNIGHTS, training_set
from contract.lake import Lake
from contract.ranker import Ranker
from contract.versions import Version
from contract.windows import DAY_MS

RETRAIN_DAYS = 7


def due(active: Version, as_of_ms: int) -> bool:
    """Tell whether a night trains new vectors and a new ranker: those of the active version are a week old, or none."""
    trained = active.manifest.vectors_as_of_ms
    return trained is None or as_of_ms >= trained + RETRAIN_DAYS * DAY_MS


def new_ranker(job: Job, active: Version, rows: pa.Table, as_of_ms: int, cuts: dict[int, int]) -> Ranker | None:
    """Train a ranker on the midnights before a night; None where there is nothing to train one on."""
    shows = show_facts(rows, active.catalogue)
    if not shows or not len(rows):
        return None
    midnights = [as_of_ms - days * DAY_MS for days in range(MIDNIGHTS, 0, -1)]
    spine = training_spine(rows, job.lake, cuts, midnights)
    return train(training_set(job, active, spine, shows), shows, as_of_ms)


def training_spine(rows: pa.Table, lake: Lake, cuts: dict[int, int], midnights: Sequence[int]) -> pa.Table:
    """Return the requests to train on: every listener of the night at each midnight, cut where that night was cut.

    Midnights before the first watermark are history: all of it counts.
    """
    reached = set(lake.nights())
    part = rows.column("partition").to_pylist()
    tables = []
    for midnight in midnights:
        at = lake.cut(midnight) if midnight in reached else cuts
        tables.append(
            pa.table(
                {
                    "user_id": rows.column("user_id"),
                    "as_of_ms": pa.array([midnight] * len(rows), pa.int64()),
                    "cut": pa.array([at[p] for p in part], pa.int64()),
                    "cut_after": pa.array([cuts[p] for p in part], pa.int64()),
                }
            )
        )
    return pa.concat_tables(tables)
