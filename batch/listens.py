"""From the lake's events to listens: duplicates dropped, each known as skip, play or replay, for any instant and cut.

A row of the result belongs to a *request*: a listener, an instant (``as_of_ms``) and a cut. A night asks for everybody at one
instant; a spine asks for any (listener, instant, cut). Both go through the same expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 (the name that Spark's own pages use)
from pyspark.sql import types as T  # noqa: N812

from contract.event import LAKE_SCHEMA
from contract.features import FeatureConstants
from contract.lake import Lake
from contract.skew import Skew
from contract.windows import DAY_MS, days_start, iso_date

REQUEST = ("user_id", "as_of_ms", "cut")
"""What a feature row is asked for: the grouping of every aggregation."""

_SPARK_TYPES = {pa.string(): T.StringType(), pa.int32(): T.IntegerType(), pa.int64(): T.LongType()}
LAKE_TYPE = T.StructType([T.StructField(f.name, _SPARK_TYPES[f.type], f.nullable) for f in LAKE_SCHEMA])


@dataclass(frozen=True)
class Job:
    """What a batch computation works with: the session, the lake, the constants and the skews of the batch side."""

    spark: SparkSession
    lake: Lake
    skews: Sequence[Skew] = ()

    @property
    def constants(self) -> FeatureConstants:
        """The numbers in the definitions, as the batch path sees them."""
        return reduce(lambda seen, skew: skew.batch_settings(seen), self.skews, FeatureConstants())


def as_of_night(job: Job, as_of_ms: int, cuts: dict[int, int]) -> DataFrame:
    """Return the listens in everybody's window at one instant, counting the offsets below the cuts."""
    asked = job.spark.createDataFrame(  # as data: literals would be compiled anew each night
        pa.table(
            {
                "kafka_partition": pa.array(cuts.keys(), pa.int32()),
                "as_of_ms": pa.array([as_of_ms] * len(cuts), pa.int64()),
                "cut": pa.array(cuts.values(), pa.int64()),
            }
        )
    )
    listens = _listens(job, as_of_ms, as_of_ms)
    return _in_window(listens.join(F.broadcast(asked), "kafka_partition"), job.constants)


def as_of_spine(job: Job, spine: DataFrame, first_ms: int, last_ms: int, *, few: bool) -> DataFrame:
    """Return the listens in the window of each request of a spine (``REQUEST`` columns, instants within [first, last]).

    Where the spine's listeners are ``few``, all others' events are dropped as they are read, before anything is shuffled.
    """
    listens = _listens(job, first_ms, last_ms, F.broadcast(spine.select("user_id").distinct()) if few else None)
    return _in_window(listens.join(spine.select(*REQUEST).distinct(), "user_id"), job.constants)


def floored(column: Column, unit_ms: int) -> Column:
    """Round an instant down to a unit."""
    return column - F.pmod(column, F.lit(unit_ms))


def window_days(as_of: Column, days: int) -> Column:
    """Return the start of a window of days at an instant."""
    return floored(as_of, DAY_MS) - F.lit(days * DAY_MS)


def _listens(job: Job, first_ms: int, last_ms: int, only: DataFrame | None = None) -> DataFrame:
    constants = job.constants
    oldest = days_start(first_ms, constants.month_window_d) - constants.replay_window_ms
    files = job.lake.files(from_date=iso_date(oldest), to_date=iso_date(last_ms))
    reader = job.spark.read.schema(LAKE_TYPE)
    events = reader.parquet(*map(str, files)) if files else job.spark.createDataFrame([], LAKE_TYPE)
    if only is not None:
        events = events.join(only, "user_id", "left_semi")
    seen = reduce(lambda frame, skew: skew.batch_events(frame), job.skews, events)
    return _classified(_deduplicated(seen.repartition("user_id")), constants)


def _deduplicated(events: DataFrame) -> DataFrame:
    """Keep the lowest offset of each (user, event, instant): it is the lowest below any cut that has one at all."""
    same = Window.partitionBy("user_id", "event_id", "ts_ms").orderBy("kafka_offset")
    return events.withColumn("_copy", F.row_number().over(same)).where("_copy = 1").drop("_copy")


def _classified(events: DataFrame, constants: FeatureConstants) -> DataFrame:
    """Tell skips, and per listen the lowest offset of a play of the item in the replay window before it.

    A listen is a replay as of a cut where that offset is below the cut: so one pass serves every cut.
    """
    limit = F.when(F.col("kind") == "podcast", constants.podcast_skip_ms).otherwise(constants.music_skip_ms)
    before = Window.partitionBy("user_id", "item_id").orderBy("ts_ms").rangeBetween(-constants.replay_window_ms, -1)
    listens = events.withColumn("skip", F.col("ms_played") < limit)
    return listens.withColumn("_earlier_play", F.min(F.when(~F.col("skip"), F.col("kafka_offset"))).over(before))


def _in_window(asked: DataFrame, constants: FeatureConstants) -> DataFrame:
    inside = (
        (F.col("kafka_offset") < F.col("cut"))
        & (F.col("ts_ms") < F.col("as_of_ms"))
        & (F.col("ts_ms") >= window_days(F.col("as_of_ms"), constants.month_window_d))
    )
    known_before = F.coalesce(F.col("_earlier_play") < F.col("cut"), F.lit(False))
    music = F.col("kind") == "music"
    tenths = (
        F.when(F.col("skip"), constants.skip_tenths)
        .when(music & known_before, constants.replay_tenths)
        .otherwise(constants.play_tenths)
    )
    return (
        asked.where(inside)
        .withColumn("music", music)
        .withColumn("play", ~F.col("skip"))
        .withColumn("replay", music & ~F.col("skip") & known_before)
        .withColumn("tenths", tenths)
    )
