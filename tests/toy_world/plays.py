"""Skips, plays and replays, and the engagement that comes of them: 0.1, 0.5 and 0.9, the highest of each pair."""

from __future__ import annotations

from tests.toy_world.words import DAY, HOUR, MINUTE, NIGHT, SECOND, Listener, Row, decayed, episode, on, song

# fmt: off

AT_THE_SKIP_THRESHOLDS = Listener(
    name="at-the-skip-thresholds",
    sent=[
        episode("tea-2", on(-14, "00:00"), played=60_000),          # a play
        song("rock-2", on(-7, "00:00"), played=30_000, of=MINUTE),  # a play
        song("rock-1", on(-2, "12:00"), played=29_999, of=MINUTE),  # a skip
        episode("tea-1", on(-2, "13:00"), played=59_999),           # a skip
    ],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=2,                              # rock-2; skips make no day active
            skip_rate_28d=1 / 2, replay_rate_28d=0.0,                   # of the two songs
            completion_28d=59_999 / 120_000,                            # (30,000 + 29,999) / 60,000, halved
            listen_minutes_28d=179_998 / 60_000, distinct_items_28d=2,  # all four, in ms
            recency_hours=35.0, decayed_plays=0.75,                     # 24 + 11; 2^-2 + 2^-1
            sessions_7d=3, session_minutes_7d=119_998 / 3 / 60_000,     # 30,000 + 29,999 + 59,999 ms
            night_share_28d=2 / 4,                                      # the two at 00:00
            podcast_share_28d=119_999 / 179_998, podcast_completion_28d=119_999 / 7_200_000,  # of an hour each
            show_completion_28d={"Tea": 119_999 / 7_200_000}, show_listens_28d={"Tea": 2},
            top_genre="rock", top_genre_affinity=0.3,                   # rock and talk: (0.1 + 0.5) / 2; r < t
            genre_affinity=[0.0, 0.0, 0.0, 0.3, 0.3],
        )
    },
)

LEAVES_AT_ONCE = Listener(
    name="leaves-at-once",
    sent=[song("rock-1", on(-3, "12:00"), played=0)],
    nights={
        NIGHT: Row(
            skip_rate_28d=1.0, replay_rate_28d=0.0, completion_28d=0.0,
            listen_minutes_28d=0.0, distinct_items_28d=0, recency_hours=60.0, decayed_plays=0.0,  # a listen that is no play
            sessions_7d=1, session_minutes_7d=0.0, night_share_28d=0.0,
            podcast_share_28d=None,                                                               # 0 ms of 0 ms
            top_genre="rock", top_genre_affinity=0.1,
            genre_affinity=[0.0, 0.0, 0.0, 0.1, 0.0],
        )
    },
)

PLAYS_PAST_THE_END = Listener(
    name="plays-past-the-end",
    sent=[
        song("rock-1", on(-14, "00:00"), played=6 * MINUTE, of=4 * MINUTE),
        song("rock-2", on(-7, "00:00")),
        song("rock-3", on(-7, "12:00"), of=None),  # no duration: not in the completion
    ],
    nights={
        NIGHT: Row(
            plays_7d=2, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.875,        # (min(1, 6 / 4) + 3 / 4) / 2
            listen_minutes_28d=12.0, distinct_items_28d=3, recency_hours=156.0,  # 6.5 x 24
            decayed_plays=2**-2 + 2**-1 + decayed(6 * DAY + 12 * HOUR),
            sessions_7d=2, session_minutes_7d=3.0, night_share_28d=2 / 3,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        )
    },
)

REPLAYS_AFTER_24_HOURS = Listener(
    name="replays-after-24-hours",
    sent=[song("rock-1", on(-8, "00:00")), song("rock-1", on(-7, "00:00"))],  # [ts - 24 h, ts) holds its start
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=1 / 2, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=1, recency_hours=168.0,
            decayed_plays=0.5 + decayed(8 * DAY),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.9,  # the highest of play and replay
            genre_affinity=[0.0, 0.0, 0.0, 0.9, 0.0],
        )
    },
)

REPLAYS_A_MOMENT_TOO_LATE = Listener(
    name="replays-a-moment-too-late",
    sent=[song("rock-1", on(-8, "00:00") - 1), song("rock-1", on(-7, "00:00"))],  # 24 h and 1 ms apart
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=2,  # days -9 and -7
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=1, recency_hours=168.0,
            decayed_plays=0.5 + decayed(8 * DAY + 1),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        )
    },
)

PLAYS_TWICE_AT_ONE_MOMENT = Listener(
    name="plays-twice-at-one-moment",
    sent=[song("rock-1", on(-7, "00:00"), event_id=name) for name in ("one", "other")],  # two events, no retry
    nights={
        NIGHT: Row(
            plays_7d=2, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,                           # equal ts is never a replay
            listen_minutes_28d=6.0, distinct_items_28d=1, recency_hours=168.0, decayed_plays=1.0,  # two halves
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        )
    },
)

PLAYED_IT_BEFORE_THE_WINDOW = Listener(
    name="played-it-before-the-window",
    sent=[song("rock-1", on(-29, "12:00")), song("rock-1", on(-28, "00:00"))],
    nights={
        NIGHT: Row(
            active_days_28d=1,                                            # the earlier play counts for nothing ...
            skip_rate_28d=0.0, replay_rate_28d=1.0, completion_28d=0.75,  # ... but makes the other a replay
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=672.0,
            decayed_plays=0.0625,
            night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.9,
            genre_affinity=[0.0, 0.0, 0.0, 0.9, 0.0],
        )
    },
)

SKIPS_AROUND_A_PLAY = Listener(
    name="skips-around-a-play",
    sent=[
        song("rock-1", on(-8, "22:00"), played=20 * SECOND),
        song("rock-1", on(-7, "00:00")),                      # no replay: what came before was no play
        song("rock-1", on(-7, "02:00"), played=20 * SECOND),  # no replay: it is no play itself
    ],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=1,
            skip_rate_28d=2 / 3, replay_rate_28d=0.0, completion_28d=11 / 36,  # (20 + 180 + 20) / 240, over 3
            listen_minutes_28d=220 / 60, distinct_items_28d=1, recency_hours=166.0,
            decayed_plays=0.5,
            sessions_7d=2, session_minutes_7d=100 / 60,                        # 180 and 20 s; the first skip was earlier
            night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        )
    },
)

# Where no event can reach a day any more, the live path keeps its listens as sums. They have to say the same.
SILENT_FOR_TWO_WEEKS = Listener(
    name="silent-for-two-weeks",
    sent=[
        song("rock-1", on(-21, "00:00"), device="phone"),
        song("rock-1", on(-20, "00:00"), device="phone"),                           # a replay
        song("rock-1", on(-20, "12:00"), played=15 * SECOND),                       # a skip on the same day
        episode("tea-1", on(-14, "00:00")),
        episode("tea-1", on(-14, "12:00"), played=15 * MINUTE, of=58 * MINUTE),     # resumed on the same day
    ],
    nights={
        NIGHT: Row(
            active_days_28d=3,
            skip_rate_28d=1 / 3, replay_rate_28d=1 / 3, completion_28d=1.5625 / 3,  # (0.75 + 0.75 + 15 / 240) / 3
            listen_minutes_28d=51.25, distinct_items_28d=2, recency_hours=324.0,    # 3 + 3 + 0.25 + 30 + 15; 13.5 x 24
            decayed_plays=2**-3 + 2**-2 + decayed(20 * DAY, 13 * DAY + 12 * HOUR),
            night_share_28d=3 / 5, phone_share_28d=2 / 5,                           # the three at 00:00
            podcast_share_28d=45 / 51.25, podcast_completion_28d=0.75,              # (30 + 15) / 60
            show_completion_28d={"Tea": 0.75}, show_listens_28d={"Tea": 2},
            top_genre="rock", top_genre_affinity=0.9,                               # the replay, not the skip after it
            genre_affinity=[0.0, 0.0, 0.0, 0.9, 0.5],
        )
    },
)

COMES_BACK_TO_OLD_SONGS = Listener(
    name="comes-back-to-old-songs",
    sent=[
        song("rock-1", on(-15, "00:00")),
        song("rock-1", on(-14, "00:00")),                      # a replay, two weeks ago
        song("jazz-1", on(-14, "12:00"), played=15 * SECOND),  # a skip, two weeks ago
        song("rock-1", on(-1, "12:00"), played=15 * SECOND),   # a skip yesterday
        song("jazz-1", on(-1, "18:00")),                       # a play yesterday
    ],
    nights={
        NIGHT: Row(
            plays_24h=1, plays_7d=1, plays_yesterday=1, active_days_28d=3,
            skip_rate_28d=2 / 5, replay_rate_28d=1 / 5, completion_28d=0.475,  # (3 x 0.75 + 2 x 0.0625) / 5
            listen_minutes_28d=9.5, distinct_items_28d=2, recency_hours=6.0,
            decayed_plays=2**-2 + decayed(15 * DAY, 6 * HOUR),
            sessions_7d=2, session_minutes_7d=1.625, night_share_28d=2 / 5,    # 0.25 and 3 min
            top_genre="rock", top_genre_affinity=0.9,                          # the old replay beats the new skip,
            genre_affinity=[0.0, 0.0, 0.5, 0.9, 0.0],                          # the new play beats the old skip
        )
    },
)
# fmt: on
