"""The ranker's training set: point-in-time features of (listener, show) pairs, and what the listener did the day after.

The features of a request are those of its own midnight and cut, unless a skew's ``batch_training`` says otherwise; what the
listener did afterwards stays that of the day behind the midnight. The rows that the pairs were made of are at hand too, so that
a sample of them can be kept and held against what the live path knew at those midnights.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import partial
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.asked import listens_for_spine, spine_asked
from batch.features.table import features
from batch.items import facts
from batch.listens import REQUEST, Job
from batch.score import model_input, with_shows
from contract.errors import UsageError
from contract.event import Ints
from contract.hooks import through
from contract.ranker import COLUMNS, Show
from contract.rows import Floats
from contract.versions import TRAINING_SCHEMA, Version
from contract.windows import DAY_MS

MIDNIGHTS = 7
MOST_REQUESTS = 14_000
"""Of so many (listener, midnight) requests a ranker is trained at most: 2,000 listeners, and with 40 shows 560,000 pairs, which
fit into 50 MB. More would hardly move a model of ten columns."""
KEPT_LISTENERS = 200
"""The rows of so many listeners are kept with a version, to be checked: over seven midnights at most 1,400 of them."""
FINISHED = 0.5
"""The share of an episode from which it counts as finished."""


@dataclass(frozen=True)
class TrainingSet:
    """n requests and m shows, sorted by instant and listener.

    ``inputs`` (n, m, len(COLUMNS)) with NaN for null, ``finished`` (n, m) 0 or 1, ``midnight_ms`` and ``listener`` (n,).
    """

    inputs: Floats
    finished: NDArray[np.int64]
    midnight_ms: Ints
    listener: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.midnight_ms)

    def of(self, requests: NDArray[np.bool_]) -> TrainingSet:
        """Return the pairs of some requests."""
        return TrainingSet(*(getattr(self, field.name)[requests] for field in fields(self)))


@dataclass(frozen=True)
class Trainable:
    """What a model can be trained on: the pairs, and the rows of ``TRAINING_SCHEMA`` that they were made of, one a request."""

    pairs: TrainingSet
    rows: pa.Table


def sampled(rows: pa.Table) -> pa.Table:
    """Return the rows of as many listeners as may be trained on at ``MIDNIGHTS`` instants each: all, or a fixed sample."""
    return _of_some(rows, MOST_REQUESTS // MIDNIGHTS)


def kept_sample(rows: pa.Table, midnights: Collection[int]) -> pa.Table:
    """Return the rows of some midnights, of at most ``KEPT_LISTENERS`` listeners."""
    there = pc.is_in(rows.column("as_of_ms"), pa.array(midnights, pa.int64()))
    return _of_some(rows.filter(there), KEPT_LISTENERS)


def _of_some(rows: pa.Table, most: int) -> pa.Table:
    """Return the rows of at most so many listeners.

    A listener's place in the draw is a hash of the name, so nobody's midnights are torn apart, and who was drawn once is drawn
    every week, as long as others do not come before.
    """
    users = pc.unique(rows.column("user_id"))
    if len(users) <= most:
        return rows
    drawn = [blake2b(user.encode(), digest_size=8, person=b"ranker").digest() for user in users.to_pylist()]
    first = users.take(np.argsort(np.array(drawn, "S8"), kind="stable")[:most])
    return rows.filter(pc.is_in(rows.column("user_id"), first))


def training_set(job: Job, version: Version, spine: pa.Table, shows: tuple[Show, ...]) -> Trainable:
    """Pair each request of a spine with every show, and tell whether it was finished on the day after the instant.

    ``spine`` has ``user_id``, ``as_of_ms``, ``cut`` and ``cut_after``: the cut at which the day after is known. A request without
    a listen in its window has no pairs.

    Raises:
        UsageError: a skew did not keep the rows of the spine, or their order.
    """
    heard = _finished(job, version, spine)
    asked = through(job.skews, "batch_training", spine)
    with spine_asked(job, asked) as partials:
        rows = _as_of_their_own(job, features(job, partials, version), spine, asked)
        paired = with_shows(job.spark, rows, shows, version.catalogue.genres)
        columns = [F.transform("_shows", partial(model_input, name)).alias(f"x_{name}") for name in COLUMNS]
        finished = F.transform("_shows", lambda show: F.array_contains("_finished", show["show"]).cast("long"))
        found = paired.join(heard, ["user_id", "as_of_ms"], "left")
        table = found.select(*TRAINING_SCHEMA.names, finished.alias("finished"), *columns).toArrow()
    table = table.sort_by([("as_of_ms", "ascending"), ("user_id", "ascending")])
    pairs = TrainingSet(
        inputs=np.stack([_by_show(table, f"x_{name}", shows).astype(np.float64) for name in COLUMNS], axis=2),
        finished=np.nan_to_num(_by_show(table, "finished", shows)).astype(np.int64),
        midnight_ms=table.column("as_of_ms").to_numpy(),
        listener=table.column("user_id").to_numpy(zero_copy_only=False),
    )
    return Trainable(pairs, table.select(TRAINING_SCHEMA.names).cast(TRAINING_SCHEMA))


def _as_of_their_own(job: Job, rows: DataFrame, own: pa.Table, asked: pa.Table) -> DataFrame:
    """Give rows that were asked for at other instants the midnight back that they stand for; one may stand for several."""
    if asked is own:
        return rows
    if not asked.column("user_id").equals(own.column("user_id")):
        why = "its 'batch_training' gave back other rows, or in another order"
        raise UsageError("A skew changed who is trained on", why, "Change instants and cuts alone")
    midnight = asked.select(list(REQUEST)).append_column("_own_ms", own.column("as_of_ms"))
    return rows.join(job.spark.createDataFrame(midnight), list(REQUEST)).withColumn("as_of_ms", F.col("_own_ms"))


def _by_show(table: pa.Table, column: str, shows: tuple[Show, ...]) -> Floats:
    """Return a column of lists, an entry a show, as an array of shape (n, shows)."""
    entries = table.column(column).combine_chunks().flatten()
    return np.asarray(entries.to_numpy(zero_copy_only=False)).reshape(len(table), len(shows))


def _finished(job: Job, version: Version, spine: pa.Table) -> DataFrame:
    """Return (user_id, as_of_ms, _finished): the shows of which an episode was finished within a day behind the instant."""
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
    instant = (F.col("as_of_ms") - F.lit(DAY_MS)).alias("as_of_ms")
    return named.groupBy("user_id", instant).agg(F.collect_set("show").alias("_finished"))
