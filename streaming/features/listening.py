"""Plays, skips, replays, completion and recency; and the plain shares."""

from __future__ import annotations

import numpy as np

from contract.event import MUSIC, PHONE, PODCAST
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS
from streaming.columns import Columns, share
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.desk import Desk
from streaming.listens import completion, is_night, is_skip
from streaming.tables import (
    AT_NIGHT,
    COMPLETED,
    DECAYED,
    LISTENS,
    MS,
    MUSIC_LISTENS,
    MUSIC_SKIPS,
    ON_PHONE,
    PODCAST_MS,
    REPLAYS,
    TIMED,
)
from streaming.window import Window


@compiled
def listening(window: Window, constants: Constants, desk: Desk, out: Columns, i: int) -> None:
    """Compute this subject's features of a listener into row i: of single listens first, then of closed days.

    One pass over each, with all sums at hand: taking it apart made all features half as slow again (7.3 to 10.5 microseconds a
    listener).
    """
    t, listens, days = window.as_of_ms, window.listens, window.days
    short_start = t // HOUR_MS * HOUR_MS - constants.short_window_h * HOUR_MS
    week_start = t // HOUR_MS * HOUR_MS - constants.week_window_h * HOUR_MS
    offset_ms = constants.calendar_offset_min * MINUTE_MS
    today = (t + offset_ms) // DAY_MS
    short_plays = week_plays = plays_yesterday = 0
    count = music = skips = replays = timed = night = phone = 0
    ms = podcast_ms = last = 0
    completed = decayed = 0.0
    desk.active[:] = 0
    for j in range(window.first, window.end):
        ts, kind, heard = listens.ts[j], listens.kind[j], listens.ms[j]
        skip = is_skip(kind, heard, constants)
        count += 1
        last = max(last, ts)
        ms += heard
        night += is_night(ts, listens.utc_offset[j], constants)
        phone += listens.device[j] == PHONE
        if kind == PODCAST:
            podcast_ms += heard
        if kind == MUSIC:
            music += 1
            skips += skip
            replays += listens.replay[j]
            if listens.duration[j] > 0:
                timed += 1
                completed += completion(heard, listens.duration[j])
        if not skip:
            day = (ts + offset_ms) // DAY_MS
            short_plays += ts >= short_start
            week_plays += ts >= week_start
            plays_yesterday += day == today - 1
            decayed += np.exp2(-(t - ts) / constants.half_life_ms)
            _mark_active(desk, today - day)
    for j in range(window.first_day, window.end_day):
        sums, since_end_ms = days.sums[j], t - (days.day[j] + 1) * DAY_MS
        count += sums[LISTENS]
        last = max(last, days.last_ts[j])
        ms += sums[MS]
        night += sums[AT_NIGHT]
        phone += sums[ON_PHONE]
        podcast_ms += sums[PODCAST_MS]
        music += sums[MUSIC_LISTENS]
        skips += sums[MUSIC_SKIPS]
        replays += sums[REPLAYS]
        timed += sums[TIMED]
        completed += days.shares[j, COMPLETED]
        decayed += days.shares[j, DECAYED] * np.exp2(-since_end_ms / constants.half_life_ms)
        _mark_calendar(desk, today - days.day[j], days.calendar[j])
    out.plays_24h[i] = short_plays
    out.plays_7d[i] = week_plays
    out.plays_yesterday[i] = plays_yesterday
    out.active_days_28d[i] = desk.active.sum()
    out.skip_rate_28d[i] = share(skips, music)
    out.replay_rate_28d[i] = share(replays, music)
    out.listen_minutes_28d[i] = ms / MINUTE_MS
    out.completion_28d[i] = share(completed, timed)
    out.recency_hours[i] = (t - last) / HOUR_MS
    out.decayed_plays[i] = decayed
    out.night_share_28d[i] = share(night, count)
    out.phone_share_28d[i] = share(phone, count)
    out.podcast_share_28d[i] = share(podcast_ms, ms)


@compiled
def _mark_calendar(desk: Desk, days_ago: int, calendar: int) -> None:
    """Note the calendar days with a play of a closed day, as ``Days.calendar`` has them."""
    for shift in range(-1, 2):
        if calendar >> (1 + shift) & 1:
            _mark_active(desk, days_ago - shift)


@compiled
def _mark_active(desk: Desk, days_ago: int) -> None:
    """Note a calendar day with a play; the first place is tomorrow's."""
    desk.active[min(max(days_ago + 1, 0), len(desk.active) - 1)] = 1
