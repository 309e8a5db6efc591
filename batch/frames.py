"""What a night is made of: partial sums by unit of time, just computed from the events or read from tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.features.listening import listening_partials
from batch.features.sessions import stretches
from batch.listens import floored
from batch.partials import pair_partials, started
from contract.features import FeatureConstants

PARTS = ("night", "morning", "afternoon", "evening")
"""The parts of a listener's local day, of equal length, from midnight."""

WHOLE = 1 << 62
"""A unit longer than all time: everything falls into one."""

Frames = Mapping[str, DataFrame]
"""By the name of a kind."""


@dataclass(frozen=True)
class Kind:
    """One sort of partial sums: how many days a night looks back for it, and how it is made.

    ``make`` is given listens, or raw events where ``raw`` is said, with ``start_ms``; and the constants.
    """

    window_d: Callable[[FeatureConstants], int]
    make: Callable[[DataFrame, FeatureConstants], DataFrame]
    raw: bool = False


def _month(constants: FeatureConstants) -> int:
    return constants.month_window_d


def _listeners(events: DataFrame, _: FeatureConstants) -> DataFrame:
    """Names, partitions, and where each listener was last: the instant, and the two letters of the country behind it."""
    letters = F.ascii("country") * 256 + F.ascii(F.substring("country", 2, 1))
    named = events.groupBy("start_ms", "user_id", "kafka_partition")
    last = named.agg(F.max(F.shiftleft("ts_ms", 16) + letters).alias("last_place"))
    return last.withColumn("request", F.xxhash64("user_id")).repartition("request")


def _items(events: DataFrame, _: FeatureConstants) -> DataFrame:
    return events.select("start_ms", "item_id").distinct().withColumn("item", F.xxhash64("item_id"))


def _contexts(listens: DataFrame, _: FeatureConstants) -> DataFrame:
    """Plays by item, part of the day and device."""
    part = F.floor(F.col("local_hour") / F.lit(24 // len(PARTS))).cast("int").alias("part")
    return listens.where("play").groupBy("start_ms", "item", part, "device").agg(F.count("*").alias("plays"))


def _pairs(listens: DataFrame, _: FeatureConstants) -> DataFrame:
    return pair_partials(listens, ("request", "start_ms"))


FEATURE_KINDS = {
    "listeners": Kind(_month, _listeners, raw=True),
    "listening": Kind(_month, lambda listens, constants: listening_partials(listens, ("request",), constants)),
    "pairs": Kind(_month, _pairs),
    "stretches": Kind(lambda c: c.session_window_d, lambda listens, constants: stretches(listens, ("request",), constants)),
}
"""What features are made of."""
PEOPLE_KINDS = {"items": Kind(_month, _items, raw=True), "contexts": Kind(_month, _contexts)}
"""What recommendations need besides."""
KINDS = {**FEATURE_KINDS, **PEOPLE_KINDS}


def frame_of(kind: Kind, listens: DataFrame, events: DataFrame, unit_ms: int, constants: FeatureConstants) -> DataFrame:
    """Make the partial sums of a kind; ``events`` are the raw ones, less those before the first listen."""
    if kind.raw:
        events = events.select("*", floored(F.col("ts_ms"), unit_ms).alias("start_ms"))
        return kind.make(events, constants)
    return kind.make(started(listens, unit_ms), constants)
