"""Plays, skips, replays, completion and recency; and the plain shares."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.listens import REQUEST, floored
from contract.features import FeatureConstants
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS


def listening(listens: DataFrame, constants: FeatureConstants) -> DataFrame:
    """Aggregate the listens of each request once: every feature that is a count, a sum or a share."""
    as_of, ts, play, music = (F.col(name) for name in ("as_of_ms", "ts_ms", "play", "music"))
    skip_share, replay_share = _share(music & F.col("skip"), music), _share(F.col("replay"), music)
    timed = music & F.col("duration_ms").isNotNull()
    day_start, day_end = _yesterday(as_of, constants.calendar_offset_min)
    age = (as_of - ts) / F.lit(float(constants.half_life_ms))
    everything = F.lit(True)
    return listens.groupBy(*REQUEST).agg(
        F.first("kafka_partition").alias("partition"),
        _count(play & (ts >= _hours(as_of, constants.short_window_h))).alias("plays_24h"),
        _count(play & (ts >= _hours(as_of, constants.week_window_h))).alias("plays_7d"),
        _count(play & (ts >= day_start) & (ts < day_end)).alias("plays_yesterday"),
        _distinct(play, _calendar_day(ts, constants.calendar_offset_min)).alias("active_days_28d"),
        skip_share.alias("skip_rate_28d"),
        replay_share.alias("replay_rate_28d"),
        (F.sum("ms_played") / F.lit(float(MINUTE_MS))).alias("listen_minutes_28d"),
        F.avg(F.when(timed, F.least(F.lit(1.0), F.col("ms_played") / F.col("duration_ms")))).alias("completion_28d"),
        _distinct(play, F.col("item_id")).alias("distinct_items_28d"),
        ((F.first(as_of) - F.max(ts)) / F.lit(float(HOUR_MS))).alias("recency_hours"),
        F.sum(F.when(play, F.pow(F.lit(2.0), -age)).otherwise(0.0)).alias("decayed_plays"),
        _share(_at_night(ts, constants), everything).alias("night_share_28d"),
        _share(F.col("device") == "phone", everything).alias("phone_share_28d"),
        F.try_divide(F.sum(F.when(~music, F.col("ms_played")).otherwise(0)), F.sum("ms_played")).alias("podcast_share_28d"),
    )


def _count(which: Column) -> Column:
    return F.count_if(which)


def _share(part: Column, whole: Column) -> Column:
    """Return the share of the picked listens; null where the whole has none."""
    return F.try_divide(F.count_if(part), F.count_if(whole))


def _distinct(which: Column, value: Column) -> Column:
    return F.size(F.collect_set(F.when(which, value)))


def _hours(as_of: Column, hours: int) -> Column:
    return floored(as_of, HOUR_MS) - F.lit(hours * HOUR_MS)


def _calendar_day(ts: Column, offset_min: int) -> Column:
    return floored(ts + F.lit(offset_min * MINUTE_MS), DAY_MS)


def _yesterday(as_of: Column, offset_min: int) -> tuple[Column, Column]:
    end = _calendar_day(as_of, offset_min) - F.lit(offset_min * MINUTE_MS)
    return end - F.lit(DAY_MS), end


def _at_night(ts: Column, constants: FeatureConstants) -> Column:
    local = ts + F.col("utc_offset_min").cast("long") * F.lit(MINUTE_MS)
    hour = F.pmod(floored(local, HOUR_MS) / F.lit(HOUR_MS), F.lit(24))
    return (hour >= constants.night_from_hour) | (hour < constants.night_until_hour)
