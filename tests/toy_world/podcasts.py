"""Podcasts: an episode is one episode, however often it was resumed; its show is in the catalogue."""

from __future__ import annotations

from tests.toy_world.words import DAY, HOUR, MINUTE, NIGHT, SECOND, Listener, Row, decayed, episode, on

# fmt: off

RESUMES_EPISODES = Listener(
    name="resumes-episodes",
    sent=[
        episode("maps-1", on(-28, "00:00"), played=40 * MINUTE),
        episode("tea-1", on(-21, "00:00"), played=10 * MINUTE, of=None),  # this listen does not know the length,
        episode("tea-1", on(-14, "00:00"), played=20 * MINUTE),           # this says an hour,
        episode("tea-2", on(-13, "00:00"), played=12 * MINUTE, of=None),
        episode("radio-1", on(-12, "00:00"), played=6 * MINUTE, of=None),
        episode("tea-1", on(-7, "00:00"), played=14 * MINUTE + 30 * SECOND, of=58 * MINUTE),  # this less: the largest counts
        episode("tea-1", on(-3, "12:00"), played=30 * SECOND),            # a skip adds up too
        episode("maps-1", on(-2, "12:00"), played=30 * MINUTE),
    ],
    nights={
        NIGHT: Row(
            plays_7d=2, active_days_28d=7,                                       # days -7 and -2; each but the skip's
            skip_rate_28d=None, replay_rate_28d=None, completion_28d=None,       # no music
            listen_minutes_28d=133.0, distinct_items_28d=4, recency_hours=36.0,  # 70 of maps-1, 45 of tea-1, 12, 6
            decayed_plays=2**-4 + 2**-3 + 2**-2 + 2**-1 + decayed(13 * DAY, 12 * DAY, 36 * HOUR),
            sessions_7d=3, session_minutes_7d=15.0,                              # 14.5, 0.5 and 30 min
            night_share_28d=6 / 8,                                               # all but the two at noon
            podcast_share_28d=1.0, podcast_completion_28d=0.875,                 # maps-1 min(1, 70 / 60), tea-1 45 / 60
            show_completion_28d={"Maps": 1.0, "Tea": 0.75},                      # tea-2 and radio-1 are of unknown length
            show_listens_28d={"Maps": 2, "Radio": 1, "Tea": 5},
            top_genre="talk", top_genre_affinity=0.5,                            # maps-1 has no genre
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5],
        )
    },
)

HEARS_AN_EPISODE_TWICE = Listener(
    name="hears-an-episode-twice",
    sent=[episode("tea-1", on(-7, "00:00")), episode("tea-1", on(-7, "12:00"))],
    nights={
        NIGHT: Row(
            plays_7d=2, active_days_28d=1,
            skip_rate_28d=None, replay_rate_28d=None, completion_28d=None,       # only music is replayed
            listen_minutes_28d=60.0, distinct_items_28d=1, recency_hours=156.0,  # 6.5 x 24
            decayed_plays=0.5 + decayed(6 * DAY + 12 * HOUR),
            sessions_7d=2, session_minutes_7d=30.0, night_share_28d=1 / 2,
            podcast_share_28d=1.0, podcast_completion_28d=1.0,
            show_completion_28d={"Tea": 1.0}, show_listens_28d={"Tea": 2},
            top_genre="talk", top_genre_affinity=0.5,                            # a play, not 0.9
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5],
        )
    },
)

HEARS_SONGS_ABOUT_TEA = Listener(
    name="hears-songs-about-tea",
    sent=[episode("tea-jazz", on(-7, "00:00"))],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=1,
            skip_rate_28d=None, replay_rate_28d=None, completion_28d=None,
            listen_minutes_28d=30.0, distinct_items_28d=1, recency_hours=168.0,
            decayed_plays=0.5,
            sessions_7d=1, session_minutes_7d=30.0, night_share_28d=1.0,
            podcast_share_28d=1.0, podcast_completion_28d=0.5,
            show_completion_28d={"Tea": 0.5}, show_listens_28d={"Tea": 1},
            top_genre="jazz", top_genre_affinity=0.5,  # the episode's own genre; its show's is talk
            genre_affinity=[0.0, 0.0, 0.5, 0.0, 0.0],
        )
    },
)
# fmt: on
