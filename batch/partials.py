"""The first of two levels of aggregation: from listens to partial sums, which are fewer, can be kept, and add up.

Listens fall into units of time, whole days for a night and hours for a spine, so that every window begins where a unit does.
What the second level (``batch.features``) makes of partial sums is the same whether they were just computed or read from tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.features.listening import listening_partials
from batch.features.sessions import stretches
from batch.listens import KEYS, floored, window_days
from contract.features import FeatureConstants
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS


@dataclass(frozen=True)
class Partials:
    """Frames by ``KEYS``.

    ``requests``: ``user_id`` and ``cut``, one row each. ``listening``: ``start_ms`` of a unit and its sums. ``pairs``: one row
    an item (``item``) over the whole window. ``stretches``: runs of listens without a gap, at most a day long.
    """

    requests: DataFrame
    listening: DataFrame
    pairs: DataFrame
    stretches: DataFrame


def unit_of(constants: FeatureConstants, longest_ms: int) -> int:
    """Return the longest unit, up to ``longest_ms``, at whose edges all windows of hours and calendar days begin."""
    hours = (constants.short_window_h * HOUR_MS, constants.week_window_h * HOUR_MS)
    return gcd(longest_ms, *hours, constants.calendar_offset_min * MINUTE_MS)


def partials_of(listens: DataFrame, requests: DataFrame, constants: FeatureConstants, longest_ms: int) -> Partials:
    """Aggregate listens that have the columns ``KEYS``, best kept in memory."""
    recent = listens.where(F.col("ts_ms") >= window_days(F.col("as_of_ms"), constants.session_window_d))
    return Partials(
        requests=requests,
        listening=listening_partials(started(listens, unit_of(constants, longest_ms)), KEYS, constants),
        pairs=pair_partials(listens, KEYS),
        stretches=stretches(started(recent, DAY_MS), KEYS, constants),
    )


def started(listens: DataFrame, unit_ms: int) -> DataFrame:
    """Add ``start_ms``, the start of the unit that a listen falls into."""
    return listens.withColumn("start_ms", floored(F.col("ts_ms"), unit_ms))


def pair_partials(listens: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Aggregate listens by listener and item."""
    podcast = ~F.col("music")
    return listens.groupBy(*keys, "item").agg(
        F.max("tenths").alias("tenths"),
        F.count_if("play").alias("plays"),
        F.count_if(podcast).alias("podcast_listens"),
        F.sum(F.when(podcast, F.col("ms_played"))).alias("podcast_ms"),
        F.max(F.when(podcast, F.col("duration_ms"))).alias("podcast_duration_ms"),
    )


def summed_pairs(pairs: DataFrame) -> DataFrame:
    """Add partial pairs up over the units."""
    return pairs.groupBy(*KEYS, "item").agg(
        F.max("tenths").alias("tenths"),
        *(F.sum(name).alias(name) for name in ("plays", "podcast_listens", "podcast_ms")),
        F.max("podcast_duration_ms").alias("podcast_duration_ms"),
    )
