"""Windows: ``w`` hours at T are [floor_hour(T) - w, T), ``d`` days are [floor_day(T) - d, T). A start counts, T does not."""

from __future__ import annotations

from tests.toy_world.words import DAY, HOUR, MINUTE, NEXT_NIGHT, NIGHT, Listener, Row, Sent, decayed, on, song

# fmt: off

STARTS_OF_WINDOWS_COUNT = Listener(
    name="starts-of-windows-count",
    sent=[
        song("rock-1", on(-28, "00:00")),  # the first millisecond of 28 days
        song("rock-2", on(-7, "00:00")),   # of 168 hours, and of the sessions' 7 days
        song("jazz-1", on(-1, "00:00")),   # of 24 hours, and of yesterday
    ],
    nights={
        NIGHT: Row(
            plays_24h=1, plays_7d=2, plays_yesterday=1, active_days_28d=3,  # jazz-1; rock-2 and jazz-1; jazz-1; one day each
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,    # each played 3 of 4 min
            listen_minutes_28d=9.0, distinct_items_28d=3, recency_hours=24.0,
            decayed_plays=2**-4 + 2**-1 + decayed(1 * DAY),                 # 28, 7 and 1 days old; half is left after 7
            sessions_7d=2, session_minutes_7d=3.0, night_share_28d=1.0,     # rock-2 began before the 7 days: not clipped
            top_genre="jazz", top_genre_affinity=0.5,                       # jazz and rock have a mean of 0.5 each; j < r
            genre_affinity=[0.0, 0.0, 0.5, 0.5, 0.0],
        )
    },
)

A_MOMENT_BEFORE_WINDOWS = Listener(
    name="a-moment-before-windows",
    sent=[
        song("rock-1", on(-28, "00:00") - 1),  # in no window
        song("rock-2", on(-7, "00:00") - 1),   # in the 28 days only
        song("jazz-1", on(-1, "00:00") - 1),   # in the 168 hours, not in the 24, not yesterday
    ],
    nights={
        NIGHT: Row(
            plays_24h=0, plays_7d=1, plays_yesterday=0, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=24 + 1 / 3_600_000,
            decayed_plays=decayed(7 * DAY + 1, 1 * DAY + 1),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,  # 23:59:59.999
            top_genre="jazz", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.5, 0.5, 0.0],
        )
    },
)

ENDS_ON_THE_STROKE = Listener(
    name="ends-on-the-stroke",
    sent=[
        song("rock-1", on(-6, "00:00")),
        # Ended at the very instant of the next night. The log got it before that watermark: its offset is below the cut,
        # and it is the time alone that keeps it out.
        Sent(event=song("jazz-1", on(1, "00:00")), at_ms=on(1, "00:00") - 1),
    ],
    nights={
        NEXT_NIGHT: Row(
            plays_24h=0, plays_7d=1, plays_yesterday=0, active_days_28d=1,  # rock-1, on the first millisecond of 168 hours
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=168.0, decayed_plays=0.5,  # 7 days old
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5, 0.0],
            user_vector=[1.0, 0.0],                                         # 0.5 x (6, 0) = (3, 0), length 3
        )
    },
)

LAST_HEARD_28_DAYS_AGO = Listener(
    name="last-heard-28-days-ago",
    sent=[song("rock-1", on(-28, "00:00"))],
    nights={
        NIGHT: Row(
            active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=672.0,  # 28 x 24
            decayed_plays=0.0625,                                               # four half-lives
            sessions_7d=0, session_minutes_7d=None, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        ),
        NEXT_NIGHT: None,  # the window starts at day -27: no row, though the live state still holds the listen
    },
)

# A click is in its own score: its row is as of one millisecond after it. Hours start at 10:00, not at 10:30; days at 00:00.
CLICKS_AT_HALF_PAST_TEN = Listener(
    name="clicks-at-half-past-ten",
    sent=[
        song("hum-1", on(-28, "00:00") - 1),  # a moment before the 28 days: counts nowhere
        song("rock-1", on(-28, "00:00")),     # in the 28 days, though 28 days and 10.5 hours old
        song("hum-1", on(-7, "00:00") - 1),   # a moment before the sessions' 7 days
        song("rock-1", on(-7, "00:00")),      # in the sessions' 7 days
        song("jazz-1", on(-7, "10:00") - 1),  # a moment before the 168 hours
        song("rock-3", on(-7, "10:00")),      # in the 168 hours, though 168.5 hours old
        song("jazz-1", on(-1, "10:00") - 1),  # a moment before the 24 hours
        song("rock-3", on(-1, "10:00")),      # in the 24 hours, though 24.5 hours old
        song("rock-1", on(0, "10:30"), device="phone"),
    ],
    served={
        on(0, "10:30") + 1: Row(
            plays_24h=2, plays_7d=4, plays_yesterday=2, active_days_28d=5,  # all of day -1; days -28, -8, -7, -1, 0
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,    # no item comes again within 24 h
            listen_minutes_28d=24.0, distinct_items_28d=4, recency_hours=1 / 3_600_000,  # 8 x 3 min; the click
            decayed_plays=decayed(
                28 * DAY + 10 * HOUR + 30 * MINUTE + 1,
                7 * DAY + 10 * HOUR + 30 * MINUTE + 2, 7 * DAY + 10 * HOUR + 30 * MINUTE + 1,
                7 * DAY + 30 * MINUTE + 2, 7 * DAY + 30 * MINUTE + 1,
                1 * DAY + 30 * MINUTE + 2, 1 * DAY + 30 * MINUTE + 1,
                1,
            ),
            sessions_7d=4, session_minutes_7d=180_000.5 / MINUTE,           # two are 1 ms longer than 3 min
            night_share_28d=3 / 8, phone_share_28d=1 / 8,                   # the three about midnight; the click
            top_genre="jazz", top_genre_affinity=0.5,                       # jazz-1 0.5; rock-1 and rock-3 0.5 each
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.5, 0.0],
            user_vector=[0.6, 0.8],                                         # 0.5 x (6, 0) + 0.5 x (0, 8) = (3, 4), length 5
        )
    },
)
# fmt: on
