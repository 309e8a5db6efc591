"""Sessions, and the hours of the night by the listener's own clock."""

from __future__ import annotations

from tests.toy_world.words import DAY, HOUR, MINUTE, NIGHT, SECOND, Listener, Row, decayed, on, song

# fmt: off

PAUSES_FOR_HALF_AN_HOUR = Listener(
    name="pauses-for-half-an-hour",
    sent=[
        song("rock-1", on(-2, "10:00"), played=60 * MINUTE, of=None),      # 09:00 to 10:00
        song("rock-2", on(-2, "11:00"), played=30 * MINUTE, of=None),      # 10:30 to 11:00: the same session
        song("jazz-1", on(-1, "10:00"), played=60 * MINUTE, of=None),      # 09:00 to 10:00
        song("jazz-2", on(-1, "11:00"), played=30 * MINUTE - 1, of=None),  # 10:30:00.001 to 11:00: more than 30 min later
    ],
    nights={
        NIGHT: Row(
            plays_24h=2, plays_7d=4, plays_yesterday=2, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=None,                       # of unknown length
            listen_minutes_28d=10_799_999 / 60_000, distinct_items_28d=4, recency_hours=13.0,  # 180 min less 1 ms
            decayed_plays=decayed(38 * HOUR, 37 * HOUR, 14 * HOUR, 13 * HOUR),
            sessions_7d=3, session_minutes_7d=12_599_999 / 3 / 60_000,                         # 120, 60 and 30 min, less 1 ms
            night_share_28d=0.0,
            top_genre="jazz", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.5, 0.5, 0.0],
        )
    },
)

LISTENS_ACROSS_THE_WEEKS_EDGE = Listener(
    name="listens-across-the-weeks-edge",
    sent=[
        song("rock-1", on(-8, "23:55"), played=15 * MINUTE, of=None),  # 23:40 to 23:55: before the 7 days, not looked at
        song("rock-2", on(-7, "00:10"), played=20 * MINUTE, of=None),  # 23:50 to 00:10: its start is not clipped
        song("jazz-1", on(-7, "00:40"), played=10 * MINUTE, of=None),  # 00:30 to 00:40
    ],
    nights={
        NIGHT: Row(
            plays_7d=2, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=None,
            listen_minutes_28d=45.0, distinct_items_28d=3, recency_hours=502 / 3,  # 168 h less 40 min
            decayed_plays=decayed(7 * DAY + 5 * MINUTE, 7 * DAY - 10 * MINUTE, 7 * DAY - 40 * MINUTE),
            sessions_7d=1, session_minutes_7d=50.0, night_share_28d=1.0,           # 23:50 to 00:40
            top_genre="jazz", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.5, 0.5, 0.0],
        )
    },
)

TWO_SPEAKERS_AT_ONCE = Listener(
    name="two-speakers-at-once",
    sent=[
        song("rock-2", on(-2, "10:30"), played=10 * MINUTE, of=None),  # 10:20 to 10:30, inside of the next
        song("rock-1", on(-2, "11:00"), played=60 * MINUTE, of=None),  # 10:00 to 11:00: the largest end so far
        song("rock-3", on(-2, "12:00"), played=35 * MINUTE, of=None),  # 11:25 to 12:00: 25 min after it, the same session
    ],
    nights={
        NIGHT: Row(
            plays_7d=3, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=None,
            listen_minutes_28d=105.0, distinct_items_28d=3, recency_hours=36.0,
            decayed_plays=decayed(37 * HOUR + 30 * MINUTE, 37 * HOUR, 36 * HOUR),
            sessions_7d=1, session_minutes_7d=120.0, night_share_28d=0.0,  # 10:00 to 12:00
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        )
    },
)

# Two listeners who skip four songs of ten seconds each, of unknown length, at the edges of the night as their clocks show it.
NIGHTS_IN_INDIA = Listener(
    name="nights-in-india",  # UTC+05:30
    sent=[
        song("rock-1", on(-9, "00:29:59"), played=10 * SECOND, of=None, utc_offset_min=330),  # 05:59:59: night
        song("rock-1", on(-9, "00:30:00"), played=10 * SECOND, of=None, utc_offset_min=330),  # 06:00:00: day
        song("rock-1", on(-9, "16:29:59"), played=10 * SECOND, of=None, utc_offset_min=330),  # 21:59:59: day
        song("rock-1", on(-9, "16:30:00"), played=10 * SECOND, of=None, utc_offset_min=330),  # 22:00:00: night
    ],
    nights={
        NIGHT: Row(
            skip_rate_28d=1.0, replay_rate_28d=0.0, completion_28d=None,
            listen_minutes_28d=40 / 60, distinct_items_28d=0, recency_hours=199.5,  # 9 x 24 - 16.5
            decayed_plays=0.0,
            night_share_28d=2 / 4,
            top_genre="rock", top_genre_affinity=0.1,
            genre_affinity=[0.0, 0.0, 0.0, 0.1, 0.0],
        )
    },
)

NIGHTS_IN_CALIFORNIA = Listener(
    name="nights-in-california",  # UTC-08:00
    sent=[
        song("rock-1", on(-20, "13:59:59"), played=10 * SECOND, of=None, utc_offset_min=-480),  # 05:59:59: night
        song("rock-1", on(-20, "14:00:00"), played=10 * SECOND, of=None, utc_offset_min=-480),  # 06:00:00: day
        song("rock-1", on(-19, "05:59:59"), played=10 * SECOND, of=None, utc_offset_min=-480),  # 21:59:59, the day before: day
        song("rock-1", on(-19, "06:00:00"), played=10 * SECOND, of=None, utc_offset_min=-480),  # 22:00:00: night
    ],
    nights={
        NIGHT: Row(
            skip_rate_28d=1.0, replay_rate_28d=0.0, completion_28d=None,
            listen_minutes_28d=40 / 60, distinct_items_28d=0, recency_hours=450.0,  # 19 x 24 - 6
            decayed_plays=0.0,
            night_share_28d=2 / 4,
            top_genre="rock", top_genre_affinity=0.1,
            genre_affinity=[0.0, 0.0, 0.0, 0.1, 0.0],
        )
    },
)

AT_THE_LIMITS_OF_AN_EVENT = Listener(
    name="at-the-limits-of-an-event",
    sent=[
        song("rock-1", on(-7, "08:00"), played=24 * HOUR, of=None, utc_offset_min=840),  # all a day; 22:00: night
        song("rock-2", on(-7, "18:00"), played=0, of=None, utc_offset_min=-720),         # not at all; 06:00: day
    ],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=1,
            skip_rate_28d=1 / 2, replay_rate_28d=0.0, completion_28d=None,
            listen_minutes_28d=1440.0, distinct_items_28d=1, recency_hours=150.0,
            decayed_plays=decayed(160 * HOUR),
            sessions_7d=2, session_minutes_7d=720.0, night_share_28d=1 / 2,  # 1,440 and 0 min
            top_genre="rock", top_genre_affinity=0.3,                        # (0.5 + 0.1) / 2
            genre_affinity=[0.0, 0.0, 0.0, 0.3, 0.0],
        )
    },
)
# fmt: on
