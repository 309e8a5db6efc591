"""Genres and vectors, and what becomes of items that the catalogue does not know."""

from __future__ import annotations

from tests.toy_world.words import DAY, MINUTE, NEXT_NIGHT, NIGHT, SECOND, Listener, Row, decayed, episode, on, song

# fmt: off

LIKES_TWO_GENRES_ALIKE = Listener(
    name="likes-two-genres-alike",
    sent=[song("folk-1", on(-14, "00:00")), song("ska-1", on(-7, "00:00"))],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=168.0,
            decayed_plays=0.75,
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="Ska", top_genre_affinity=0.5,  # by code point S, 83, is before f, 102
            genre_affinity=[0.5, 0.5, 0.0, 0.0, 0.0],
        )
    },
)

# Tenths are summed as integers: 0.9 + 0.1 + 0.1 + 0.1 in floats is 1.2000000000000002, and rock would win what is a tie.
EQUAL_MEANS_OF_UNEQUAL_SUMS = Listener(
    name="equal-means-of-unequal-sums",
    sent=[
        song("rock-1", on(-15, "00:00")),
        song("rock-1", on(-14, "00:00")),                                                  # 0.9
        *(song(f"rock-{i}", on(-10, f"12:0{i}"), played=15 * SECOND) for i in (2, 3, 4)),  # 0.1 each
        song("folk-1", on(-10, "12:05"), played=15 * SECOND),                              # 0.1
        song("folk-2", on(-7, "00:00")),                                                   # 0.5
    ],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=3,
            skip_rate_28d=4 / 7, replay_rate_28d=1 / 7, completion_28d=2.5 / 7,  # (3 x 0.75 + 4 x 0.0625) / 7
            listen_minutes_28d=10.0, distinct_items_28d=2, recency_hours=168.0,  # 3 x 3 + 4 x 0.25
            decayed_plays=2**-2 + 2**-1 + decayed(15 * DAY),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=3 / 7,
            top_genre="folk", top_genre_affinity=0.3,                            # folk 6 / 20, rock 12 / 40; f < r
            genre_affinity=[0.0, 0.3, 0.0, 0.3, 0.0],
        )
    },
)

HEARS_ONLY_BOOTLEGS = Listener(
    name="hears-only-bootlegs",
    sent=[
        episode("pirate-radio", on(-14, "00:00"), played=15 * MINUTE),
        song("bootleg", on(-7, "00:00")),
    ],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=18.0, distinct_items_28d=2, recency_hours=168.0,
            decayed_plays=0.75,
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            podcast_share_28d=15 / 18, podcast_completion_28d=0.25,  # 15 / 60: an episode, whatever its show
            show_completion_28d={}, show_listens_28d={},             # only the features of shows, genres
            top_genre=None, top_genre_affinity=None,                 # and vectors leave it out
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.0],
        ),
        NEXT_NIGHT: Row(
            plays_7d=0, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=18.0, distinct_items_28d=2, recency_hours=192.0,  # 8 x 24
            decayed_plays=decayed(15 * DAY, 8 * DAY),
            sessions_7d=0, session_minutes_7d=None, night_share_28d=1.0,
            podcast_share_28d=15 / 18, podcast_completion_28d=0.25,
            show_completion_28d={}, show_listens_28d={},
            top_genre=None, top_genre_affinity=None,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            user_vector=None,                                                    # there are vectors now, but none of these
        ),
    },
)

HEARD_IT_BEFORE_THE_CATALOGUE = Listener(
    name="heard-it-before-the-catalogue",
    sent=[song("rock-1", on(-13, "00:00")), song("wave-1", on(-6, "00:00"))],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=144.0,
            decayed_plays=decayed(13 * DAY, 6 * DAY),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,  # wave-1 is unknown
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        ),
        NEXT_NIGHT: Row(
            plays_7d=1, active_days_28d=2,                # wave-1 on the first millisecond of 168 hours
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=168.0,
            decayed_plays=0.75,
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="ambient", top_genre_affinity=0.5,  # the second version knows it; a < r
            genre_affinity=[0.0, 0.5, 0.0, 0.0, 0.5, 0.0],
            user_vector=[0.6, 0.8],                       # 0.5 x (6, 0) + 0.5 x (0, 8) = (3, 4), length 5
        ),
    },
)

EVERY_ENGAGEMENT_HAS_ITS_WEIGHT = Listener(
    name="every-engagement-has-its-weight",
    sent=[
        song("rock-3", on(-27, "00:00")),                    # a play of an item that has no vector
        song("jazz-2", on(-20, "00:00")),                    # a play: 0.5 x (0, 24)
        song("folk-1", on(-13, "00:00")),
        song("folk-1", on(-12, "00:00")),                    # a replay: 0.9 x (10, 0)
        song("jazz-1", on(-6, "00:00")),                     # a play: 0.5 x (0, 8)
        song("ska-1", on(-1, "12:00"), played=10 * SECOND),  # a skip: 0.1 x (30, 0)
    ],
    nights={
        NEXT_NIGHT: Row(
            plays_7d=1, active_days_28d=5,
            skip_rate_28d=1 / 6, replay_rate_28d=1 / 6, completion_28d=91 / 144,    # (5 x 0.75 + 10 / 240) / 6
            listen_minutes_28d=910 / 60, distinct_items_28d=4, recency_hours=36.0,  # 5 x 180 + 10 s
            decayed_plays=2**-4 + 2**-3 + 2**-2 + 2**-1 + decayed(13 * DAY),        # 28, 21, 14, 7 and 13 days old
            sessions_7d=2, session_minutes_7d=95 / 60,                              # 180 and 10 s
            night_share_28d=5 / 6,
            top_genre="folk", top_genre_affinity=0.9,
            genre_affinity=[0.1, 0.0, 0.9, 0.5, 0.5, 0.0],
            user_vector=[0.6, 0.8],                                                 # (9 + 3, 12 + 4) = (12, 16), length 20
        )
    },
)

OF_TWO_MINDS = Listener(
    name="of-two-minds",
    sent=[song("rock-2", on(-13, "00:00")), song("rock-1", on(-6, "00:00"))],
    nights={
        NEXT_NIGHT: Row(
            plays_7d=1, active_days_28d=2,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=168.0,
            decayed_plays=0.75,
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5, 0.0],
            user_vector=None,  # (3, 0) + (-3, 0): a norm of 0
        )
    },
)
# fmt: on
