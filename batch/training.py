"""The ranker's training set: point-in-time features of (listener, show) pairs, and what the listener did the day after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.features import features
from batch.items import facts
from batch.listens import Job
from batch.rows import kept, listens_for_spine
from batch.score import model_input, show_frame
from contract.ranker import COLUMNS, Ranker, Show
from contract.rows import Floats
from contract.versions import Version
from contract.windows import DAY_MS

MIDNIGHTS = 7
FINISHED = 0.5
"""The share of an episode from which it counts as finished."""


@dataclass(frozen=True)
class TrainingSet:
    """``inputs`` (n, len(COLUMNS)) with NaN for null, ``finished`` (n,) 0 or 1, ``midnight_ms`` (n,)."""

    inputs: Floats
    finished: np.ndarray
    midnight_ms: np.ndarray


def training_set(job: Job, version: Version, spine: pa.Table, shows: tuple[Show, ...]) -> TrainingSet:
    """Pair each request of a spine with every show, and tell whether it was finished on the day after the instant.

    ``spine`` has ``user_id``, ``as_of_ms``, ``cut`` and ``cut_after``: the cut at which the day after is known.
    """
    blank = Ranker(COLUMNS, (), (), (), (), 0.0, shows, 0, 0, {}, {})
    found = _finished(job, version, spine).withColumn("finished", F.lit(1))
    with kept(listens_for_spine(job, spine)) as listens:
        pairs = features(job, listens, version).crossJoin(F.broadcast(show_frame(job.spark, blank)))
        wanted = pairs.select(
            "user_id",
            "as_of_ms",
            F.col("_show.show").alias("show"),
            *(model_input(name, version.catalogue.genres).alias(f"x_{name}") for name in COLUMNS),
        )
        table = wanted.join(found, ["user_id", "as_of_ms", "show"], "left").toArrow()
    table = table.sort_by([("as_of_ms", "ascending"), ("user_id", "ascending"), ("show", "ascending")])
    inputs = [table.column(f"x_{name}").to_numpy(zero_copy_only=False).astype(np.float64) for name in COLUMNS]
    finished = table.column("finished").fill_null(0).to_numpy()
    return TrainingSet(np.stack(inputs, axis=1), finished, table.column("as_of_ms").to_numpy())


def _finished(job: Job, version: Version, spine: pa.Table) -> DataFrame:
    """Return (user_id, as_of_ms, show) where an episode was finished within a day behind the instant."""
    after = pa.table(
        {
            "user_id": spine.column("user_id"),
            "as_of_ms": pa.array(spine.column("as_of_ms").to_numpy() + DAY_MS),
            "cut": spine.column("cut_after"),
        }
    )
    listens = listens_for_spine(job, after)
    day = listens.where((~F.col("music")) & (F.col("ts_ms") >= F.col("as_of_ms") - F.lit(DAY_MS)))
    share = F.sum("ms_played") / F.max("duration_ms")
    episodes = day.groupBy("user_id", "as_of_ms", "item_id").agg(share.alias("share")).where(F.col("share") >= FINISHED)
    named = episodes.join(F.broadcast(facts(job.spark, version)), "item_id").where(F.col("show").isNotNull())
    return named.select("user_id", (F.col("as_of_ms") - F.lit(DAY_MS)).alias("as_of_ms"), "show").distinct()
