"""From the lake's events to listens: duplicates dropped, each known as skip, play or replay, for any instant and cut.

Listens are taken either *between* two instants, for everybody and one cut (a night, and the tiles that it is made of), or for a
*spine* of requests, each a listener, an instant and a cut. Both go through the same expressions. Listeners and items are known
by the 64-bit hashes of their names from here on (``request``, ``item``): sorting and grouping by numbers takes half the time.
The names come back at the end, and two listeners with one hash would be noticed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 (the name that Spark's own pages use)
from pyspark.sql import types as T  # noqa: N812

from batch.packing import PACKED, packed, unpacked
from contract.event import DEVICES, LAKE_SCHEMA
from contract.features import FeatureConstants
from contract.hooks import through
from contract.lake import Lake
from contract.skew import Skew
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, days_start, iso_date

REQUEST = ("user_id", "as_of_ms", "cut")
"""What a feature row is asked for."""
KEYS = ("request", "as_of_ms")
"""The grouping of every aggregation: the request's hash, and its instant beside it."""

_SPARK_TYPES = {pa.string(): T.StringType(), pa.int32(): T.IntegerType(), pa.int64(): T.LongType()}
LAKE_TYPE = T.StructType([T.StructField(f.name, _SPARK_TYPES[f.type], f.nullable) for f in LAKE_SCHEMA])

_COMPACT = ("request", "kafka_offset", "item", "event", "ts_ms", "ms_played", "duration_ms", PACKED)
_NAMES = ("user_id", "item_id", "country")


@dataclass(frozen=True)
class Job:
    """What a batch computation works with: the session, the lake, the skews of the batch side, and where tiles are kept.

    Without a folder for tiles, or over fewer events than ``tiles_from``, a night is computed from its events: quicker than
    some hundred small files.
    """

    spark: SparkSession
    lake: Lake
    skews: Sequence[Skew] = ()
    tiles: Path | None = None
    tiles_from: int = 300_000

    @property
    def constants(self) -> FeatureConstants:
        """The numbers in the definitions, as the batch path sees them."""
        return through(self.skews, "batch_settings", FeatureConstants())


def listens_between(job: Job, start_ms: int, end_ms: int, cuts: dict[int, int], *, named: bool = False) -> DataFrame:
    """Return everybody's listens that ended in [start, end), counting the offsets below the cuts; ``request`` is the listener.

    With ``named`` they carry names as well: wider rows, but the lake's files need not be read again for the names.
    """
    below = events_below(job, start_ms - job.constants.replay_window_ms, end_ms, cuts)
    inside = F.col("ts_ms") >= F.col("_start_ms") + F.lit(job.constants.replay_window_ms)
    events = _compact(below, job.constants, inside).select(*_COMPACT, *(_NAMES if named else ()))
    listens = _with_earlier_play(_deduplicated(events.repartition("request")), job.constants)
    return _judged(listens.where(unpacked("inside")), F.col("_earlier_play").isNotNull(), job.constants)


def events_below(job: Job, start_ms: int, end_ms: int, cuts: dict[int, int]) -> DataFrame:
    """Return the lake's events that ended in [start, end) and stand below the cuts, as the batch side sees them.

    ``_start_ms`` stands beside each: a plan with the instant as a literal would be compiled anew each night.
    """
    asked = pa.table(
        {
            "kafka_partition": pa.array(cuts.keys(), pa.int32()),
            "_cut": pa.array(cuts.values(), pa.int64()),
            "_start_ms": pa.array([start_ms] * len(cuts), pa.int64()),
            "_end_ms": pa.array([end_ms] * len(cuts), pa.int64()),
        }
    )
    events = _events(job, start_ms, end_ms - 1).join(F.broadcast(job.spark.createDataFrame(asked)), "kafka_partition")
    ts, offset = F.col("ts_ms"), F.col("kafka_offset")
    inside = (offset < F.col("_cut")) & (ts >= F.col("_start_ms")) & (ts < F.col("_end_ms"))
    return events.where(inside).drop("_cut", "_end_ms")


def as_of_spine(job: Job, spine: DataFrame, first_ms: int, last_ms: int, *, few: bool) -> DataFrame:
    """Return the listens in the window of each request of a spine (``REQUEST`` columns, instants within [first, last]).

    Where the spine's listeners are ``few``, all others' events are dropped as they are read, before anything is shuffled.
    """
    constants = job.constants
    oldest = days_start(first_ms, constants.month_window_d) - constants.replay_window_ms
    events = _events(job, oldest, last_ms)
    if few:
        events = events.join(F.broadcast(spine.select("user_id").distinct()), "user_id", "left_semi")
    columns = _compact(events, constants, F.lit(True)).select("user_id", "item_id", *_COMPACT).repartition("user_id")
    listens = _with_earlier_play(_deduplicated(columns), constants).drop("request")
    asked = listens.join(spine.select(*REQUEST).distinct(), "user_id")
    inside = (
        (F.col("kafka_offset") < F.col("cut"))
        & (F.col("ts_ms") < F.col("as_of_ms"))
        & (F.col("ts_ms") >= window_days(F.col("as_of_ms"), constants.month_window_d))
    )
    known_before = F.coalesce(F.col("_earlier_play") < F.col("cut"), F.lit(False))
    return _judged(asked.where(inside), known_before, constants).withColumn("request", F.xxhash64(*REQUEST))


def floored(column: Column, unit_ms: int) -> Column:
    """Round an instant down to a unit."""
    return column - F.pmod(column, F.lit(unit_ms))


def window_days(as_of: Column, days: int) -> Column:
    """Return the start of a window of days at an instant."""
    return floored(as_of, DAY_MS) - F.lit(days * DAY_MS)


def _events(job: Job, first_ms: int, last_ms: int) -> DataFrame:
    """Read the lake's events of the days of [first, last], as the batch side sees them."""
    files = job.lake.uris(from_date=iso_date(max(first_ms, 0)), to_date=iso_date(last_ms))
    nothing = job.spark.createDataFrame(LAKE_SCHEMA.empty_table(), LAKE_TYPE)  # as a table: no Python starts on an executor
    events = job.spark.read.schema(LAKE_TYPE).parquet(*files) if files else nothing
    return through(job.skews, "batch_events", events)


def _compact(events: DataFrame, constants: FeatureConstants, inside: Column) -> DataFrame:
    """Say all that an event tells by itself in numbers: narrow rows are quick to shuffle, to sort and to keep.

    What lies not ``inside`` the asked time is only looked back to.
    """
    local_ms = F.col("ts_ms") + F.col("utc_offset_min").cast("long") * F.lit(MINUTE_MS)
    limit = F.when(F.col("kind") == "podcast", constants.podcast_skip_ms).otherwise(constants.music_skip_ms)
    return events.withColumns(
        {
            "request": F.xxhash64("user_id"),
            "item": F.xxhash64("item_id"),
            "event": F.xxhash64("event_id"),
            PACKED: packed(
                music=F.col("kind") == "music",
                play=F.col("ms_played") >= limit,
                local_hour=F.pmod(F.floor(local_ms / F.lit(HOUR_MS)), F.lit(24)),
                device=F.array_position(F.array(*map(F.lit, DEVICES)), F.col("device")),
                inside=inside,
                kafka_partition=F.col("kafka_partition"),
            ),
        }
    )


def _deduplicated(events: DataFrame) -> DataFrame:
    """Keep the lowest offset of each (user, event, instant): it is the lowest below any cut that has one at all.

    The instant stands first, since Spark sorts by the first eight bytes and looks at the rest only where they are equal.
    """
    same = Window.partitionBy("ts_ms", "request", "event").orderBy("kafka_offset")
    return events.withColumn("_copy", F.row_number().over(same)).where("_copy = 1").drop("_copy", "event")


def _with_earlier_play(listens: DataFrame, constants: FeatureConstants) -> DataFrame:
    """Find, per listen, the lowest offset of a play of the item in the replay window before it.

    A listen is a replay as of a cut where that offset is below the cut: so one pass serves every cut.
    """
    pair = F.xxhash64("request", "item").alias("_pair")  # sorts by its first eight bytes; the two behind it decide
    before = Window.partitionBy(pair, "request", "item").orderBy("ts_ms").rangeBetween(-constants.replay_window_ms, -1)
    return listens.withColumn("_earlier_play", F.min(F.when(unpacked("play"), F.col("kafka_offset"))).over(before))


def _judged(listens: DataFrame, known_before: Column, constants: FeatureConstants) -> DataFrame:
    """Say what each listen is, and unpack what it tells."""
    music, play = unpacked("music"), unpacked("play")
    replay = music & play & known_before
    facts = {
        "kafka_partition": unpacked("kafka_partition"),
        "music": music,
        "play": play,
        "replay": replay,
        "tenths": F.when(~play, constants.skip_tenths).when(replay, constants.replay_tenths).otherwise(constants.play_tenths),
        "local_hour": unpacked("local_hour").cast("byte"),
        "device": (unpacked("device") - 1).cast("byte"),
    }
    return listens.withColumns(facts).drop("_earlier_play", PACKED)
