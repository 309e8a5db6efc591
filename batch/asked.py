"""What is asked for: everybody at a night, or the requests of a spine; with all that features are made of, kept while in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.frames import FEATURE_KINDS, KINDS, WHOLE, Frames, Kind, frame_of
from batch.listens import REQUEST, Job, as_of_spine, events_below, listens_between
from batch.partials import Partials, pair_partials, partials_of, summed_pairs, unit_of
from batch.tiles import TileStore
from contract.windows import DAY_MS, HOUR_MS, days_start

FEW_LISTENERS = 10_000
"""Up to so many names are sent to every reader of the lake."""
FEW_EVENTS = 1_000_000
"""Below so many, opening the lake's files takes longer than carrying names along."""


@dataclass(frozen=True)
class Night:
    """Everybody at one instant: the partial sums, and the frames by unit that they were made from."""

    partials: Partials
    frames: Frames


@contextmanager
def night_asked(job: Job, as_of_ms: int, cuts: dict[int, int], *, people: bool = False) -> Iterator[Night]:
    """Ask for everybody at an instant, counting the offsets below the cuts; with ``people``, also for all about items.

    Whole days come from tiles where the job keeps them: those that are not there yet are written. Where a skew acts, or a day is
    no whole unit of some window, everything is computed from the events.
    """
    kinds = KINDS if people else FEATURE_KINDS
    store = TileStore(job, as_of_ms, cuts)
    with _shuffled_into(job, store.buckets), _framed(job, kinds, store) as frames, _night(job, frames, as_of_ms, cuts) as night:
        yield night


@contextmanager
def spine_asked(job: Job, spine: pa.Table) -> Iterator[Partials]:
    """Ask for the requests of a spine, point in time: columns ``user_id``, ``as_of_ms``, ``cut`` (more are ignored)."""
    requests = _requests(job, spine).distinct().withColumn("request", F.xxhash64(*REQUEST))
    with kept(listens_for_spine(job, spine)) as listens:
        partials = partials_of(listens, requests, job.constants, HOUR_MS)
        with kept(partials.pairs):
            yield partials


def listens_for_spine(job: Job, spine: pa.Table) -> DataFrame:
    """Return the listens in the window of each request of a spine."""
    instants: pd.Series = spine.column("as_of_ms").to_pandas()
    first, last = (int(instants.min()), int(instants.max())) if len(spine) else (0, 0)
    few = len(spine.column("user_id").unique()) <= FEW_LISTENERS
    return as_of_spine(job, _requests(job, spine), first, last, few=few)


@contextmanager
def kept(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep a frame on disk while it is used: every subject's aggregation starts from the same rows.

    The system's own cache of files holds as much of it in memory as there is; the JVM's heap stays small.
    """
    frame = frame.persist(StorageLevel.DISK_ONLY)
    try:
        yield frame
    finally:
        frame.unpersist()


@contextmanager
def _shuffled_into(job: Job, partitions: int) -> Iterator[None]:
    """Let shuffles fall into as many partitions as tiles have buckets, if those are more than the session's own."""
    name = "spark.sql.shuffle.partitions"
    usual = job.spark.conf.get(name) or "1"
    job.spark.conf.set(name, str(max(partitions, int(usual))))
    try:
        yield
    finally:
        job.spark.conf.set(name, usual)


def _requests(job: Job, spine: pa.Table) -> DataFrame:
    return job.spark.createDataFrame(spine.select(list(REQUEST)).to_pandas(), "user_id string, as_of_ms bigint, cut bigint")


@contextmanager
def _framed(job: Job, kinds: Mapping[str, Kind], store: TileStore) -> Iterator[Frames]:
    with store.frames(kinds) if store.worthwhile else _computed(job, kinds, store) as frames:
        yield frames


@contextmanager
def _computed(job: Job, kinds: Mapping[str, Kind], store: TileStore) -> Iterator[Frames]:
    """Compute the frames of a night from its events: from one reading of the files where those are few, for few are small."""
    constants, as_of_ms, cuts, few = job.constants, store.as_of_ms, store.cuts, store.events < FEW_EVENTS
    unit = unit_of(constants, DAY_MS)

    def start(kind: Kind) -> int:
        return days_start(as_of_ms, kind.window_d(constants))

    first = min(map(start, kinds.values()))
    with kept(listens_between(job, first, as_of_ms, cuts, named=few)) as listens:
        by_unit = {
            name: frame_of(
                kind,
                listens if start(kind) == first else listens.where(F.col("ts_ms") >= start(kind)),
                events_below(job, start(kind), as_of_ms, cuts) if kind.raw and not few else listens,
                WHOLE if kind.raw else unit,
                constants,
            )
            for name, kind in kinds.items()
        }
        yield {**by_unit, "pairs": pair_partials(listens, ("request",))}  # over the whole window at once


@contextmanager
def _night(job: Job, frames: Frames, as_of_ms: int, cuts: dict[int, int]) -> Iterator[Night]:
    asked = pa.table(  # as data: literals would be compiled anew each night
        {
            "kafka_partition": pa.array(cuts.keys(), pa.int32()),
            "as_of_ms": pa.array([as_of_ms] * len(cuts), pa.int64()),
            "cut": pa.array(cuts.values(), pa.int64()),
        }
    )
    at = F.broadcast(job.spark.createDataFrame(asked.select(["as_of_ms"]).slice(0, 1)))
    named = frames["listeners"].groupBy("request", "user_id", "kafka_partition").agg(F.max("last_place").alias("last_place"))
    listeners = named.join(F.broadcast(job.spark.createDataFrame(asked)), "kafka_partition")
    pairs = frames["pairs"].crossJoin(at)
    with kept(listeners), kept(summed_pairs(pairs) if "start_ms" in pairs.columns else pairs) as pairs:
        partials = Partials(
            requests=_one_name_each(listeners),
            listening=frames["listening"].crossJoin(at),
            pairs=pairs,
            stretches=frames["stretches"].crossJoin(at),
        )
        yield Night(partials, {**frames, "listeners": listeners})


def _one_name_each(listeners: DataFrame) -> DataFrame:
    """Return one row a request; two listeners of one hash stop the night."""
    alone = F.when(F.count("*") == 1, F.first("user_id")).otherwise(F.raise_error(F.lit("two listeners share a hash")))
    return listeners.groupBy("request", "as_of_ms").agg(alone.alias("user_id"), F.first("cut").alias("cut"))
