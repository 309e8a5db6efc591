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
from streaming.window import Window


@compiled
def listening(window: Window, constants: Constants, desk: Desk, out: Columns, i: int) -> None:
    """Compute this subject's features of a listener into row i: of single listens first, then of closed days."""
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
        day = days.day[j]
        count += days.listens[j]
        last = max(last, days.last_ts[j])
        ms += days.ms[j]
        night += days.night[j]
        phone += days.phone[j]
        podcast_ms += days.podcast_ms[j]
        music += days.music[j]
        skips += days.skips[j]
        replays += days.replays[j]
        timed += days.timed[j]
        completed += days.completed[j]
        decayed += days.decayed[j] * np.exp2(-(t - (day + 1) * DAY_MS) / constants.half_life_ms)
        for shift in range(-1, 2):
            if days.calendar[j] >> (1 + shift) & 1:
                _mark_active(desk, today - (day + shift))
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
def _mark_active(desk: Desk, days_ago: int) -> None:
    """Note a calendar day with a play; the first place is tomorrow's."""
    desk.active[min(max(days_ago + 1, 0), len(desk.active) - 1)] = 1
