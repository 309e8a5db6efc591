"""Plays, skips, replays, completion and recency; and the plain shares."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.listens import KEYS, floored
from contract.event import DEVICES
from contract.features import FeatureConstants
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS


def listening_partials(listens: DataFrame, keys: Sequence[str], constants: FeatureConstants) -> DataFrame:
    """First level: add the listens of each unit (``start_ms``) up. Decay is taken to the unit's start, not yet to an instant."""
    play, music, ms = F.col("play"), F.col("music"), F.col("ms_played")
    timed = music & F.col("duration_ms").isNotNull()
    since_start = (F.col("ts_ms") - F.col("start_ms")) / F.lit(float(constants.half_life_ms))
    return listens.groupBy(*keys, "start_ms").agg(
        F.max("kafka_partition").alias("partition"),
        F.count("*").alias("listens"),
        F.count_if(play).alias("plays"),
        F.count_if(music).alias("music"),
        F.count_if(music & ~play).alias("skips"),
        F.count_if("replay").alias("replays"),
        F.sum(ms).alias("ms"),
        F.sum(F.when(music, F.lit(0)).otherwise(ms)).alias("podcast_ms"),
        F.sum(F.when(timed, F.least(F.lit(1.0), ms / F.col("duration_ms")))).alias("completed"),
        F.count_if(timed).alias("timed"),
        F.max("ts_ms").alias("last_ms"),
        F.sum(F.when(play, F.pow(F.lit(2.0), since_start)).otherwise(0.0)).alias("decayed"),
        F.count_if(_at_night(constants)).alias("at_night"),
        F.count_if(F.col("device") == DEVICES.index("phone")).alias("on_phone"),
    )


def listening(partials: DataFrame, constants: FeatureConstants) -> DataFrame:
    """Second level: every feature that is a count, a sum or a share of listens."""
    as_of, start, plays = F.col("as_of_ms"), F.col("start_ms"), F.col("plays")
    day_start, day_end = _yesterday(as_of, constants.calendar_offset_min)
    age = (as_of - start) / F.lit(float(constants.half_life_ms))
    return partials.groupBy(*KEYS).agg(
        F.max("partition").alias("partition"),
        _sum_if(start >= _hours(as_of, constants.short_window_h), plays).alias("plays_24h"),
        _sum_if(start >= _hours(as_of, constants.week_window_h), plays).alias("plays_7d"),
        _sum_if((start >= day_start) & (start < day_end), plays).alias("plays_yesterday"),
        F.count_distinct(F.when(plays > 0, _calendar_day(start, constants.calendar_offset_min))).alias("active_days_28d"),
        _share("skips", "music").alias("skip_rate_28d"),
        _share("replays", "music").alias("replay_rate_28d"),
        (F.sum("ms") / F.lit(float(MINUTE_MS))).alias("listen_minutes_28d"),
        _share("completed", "timed").alias("completion_28d"),
        ((F.max("as_of_ms") - F.max("last_ms")) / F.lit(float(HOUR_MS))).alias("recency_hours"),
        F.sum(F.col("decayed") * F.pow(F.lit(2.0), -age)).alias("decayed_plays"),
        _share("at_night", "listens").alias("night_share_28d"),
        _share("on_phone", "listens").alias("phone_share_28d"),
        _share("podcast_ms", "ms").alias("podcast_share_28d"),
    )


def _sum_if(which: Column, value: Column) -> Column:
    return F.sum(F.when(which, value).otherwise(F.lit(0)))


def _share(part: str, whole: str) -> Column:
    """Return a sum as a share of another; null where the whole is 0."""
    return F.try_divide(F.sum(part), F.sum(whole))


def _hours(as_of: Column, hours: int) -> Column:
    return floored(as_of, HOUR_MS) - F.lit(hours * HOUR_MS)


def _calendar_day(ts: Column, offset_min: int) -> Column:
    return floored(ts + F.lit(offset_min * MINUTE_MS), DAY_MS)


def _yesterday(as_of: Column, offset_min: int) -> tuple[Column, Column]:
    end = _calendar_day(as_of, offset_min) - F.lit(offset_min * MINUTE_MS)
    return end - F.lit(DAY_MS), end


def _at_night(constants: FeatureConstants) -> Column:
    hour = F.col("local_hour")
    return (hour >= constants.night_from_hour) | (hour < constants.night_until_hour)
