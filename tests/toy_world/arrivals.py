"""What comes twice, late, too early or broken: which records count, and from which cut on."""

from __future__ import annotations

from tests.toy_world.words import DAY, HOUR, MINUTE, NEXT_NIGHT, NIGHT, Listener, Row, Sent, decayed, on, song

# fmt: off

# The same id at the same instant is one listen, whenever it comes again; the first in the log counts, whatever others say.
RETRIES = Listener(
    name="retries",
    sent=[
        song("rock-1", on(-1, "12:00"), event_id="tap"),
        song("rock-1", on(-1, "12:00"), event_id="tap", received_at_ms=on(-1, "12:01"), played=4 * MINUTE),
        song("rock-1", on(-1, "12:00"), event_id="tap", received_at_ms=on(0, "00:10")),
    ],
    nights={
        NIGHT: Row(
            plays_24h=1, plays_7d=1, plays_yesterday=1, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=12.0,
            decayed_plays=decayed(12 * HOUR),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=0.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        ),
        NEXT_NIGHT: Row(
            plays_24h=0, plays_7d=1, plays_yesterday=0, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=36.0,
            decayed_plays=decayed(36 * HOUR),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=0.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5, 0.0],
            user_vector=[1.0, 0.0],
        ),
    },
)

USES_AN_ID_AGAIN = Listener(
    name="uses-an-id-again",
    sent=[
        song("rock-1", on(-7, "00:00"), event_id="tap"),
        song("jazz-1", on(-7, "00:00") + 1, event_id="tap"),  # another instant: another listen
    ],
    nights={
        NIGHT: Row(
            plays_7d=2, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=168 - 1 / 3_600_000,
            decayed_plays=0.5 + decayed(7 * DAY - 1),
            sessions_7d=1, session_minutes_7d=180_001 / 60_000, night_share_28d=1.0,  # 1 ms more than 3 min
            top_genre="jazz", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.5, 0.5, 0.0],
        )
    },
)

# Its partition's clock stands at the midnight when the two late ones come: 48 hours late is good, a millisecond more is not.
PHONE_WAS_OFFLINE = Listener(
    name="phone-was-offline",
    sent=[
        song("rock-1", on(-7, "00:00")),
        Sent(event=song("jazz-2", on(-2, "00:00") - 1, received_at_ms=on(0, "00:01")), rejected="too-late"),
        song("jazz-1", on(-2, "00:00"), received_at_ms=on(0, "00:01")),
    ],
    nights={
        NIGHT: Row(  # jazz-1 is older than the night, but the cut was before it
            plays_7d=1, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=168.0, decayed_plays=0.5,
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        ),
        NEXT_NIGHT: Row(
            plays_7d=1, active_days_28d=2,  # jazz-1; rock-1 is 8 days old by now
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=72.0,
            decayed_plays=decayed(8 * DAY, 3 * DAY),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="jazz", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.5, 0.0],
            user_vector=[0.6, 0.8],         # 0.5 x (6, 0) + 0.5 x (0, 8) = (3, 4)
        ),
    },
)

LATE_PLAY_MAKES_A_REPLAY = Listener(
    name="late-play-makes-a-replay",
    sent=[
        song("rock-1", on(-1, "12:00")),
        song("rock-1", on(-1, "06:00"), received_at_ms=on(0, "00:05")),  # six hours before it, known only after the cut
    ],
    nights={
        NIGHT: Row(
            plays_24h=1, plays_7d=1, plays_yesterday=1, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=12.0,
            decayed_plays=decayed(12 * HOUR),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=0.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        ),
        NEXT_NIGHT: Row(
            plays_24h=0, plays_7d=2, plays_yesterday=0, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=1 / 2, completion_28d=0.75,  # the listen at noon is a replay now
            listen_minutes_28d=6.0, distinct_items_28d=1, recency_hours=36.0,
            decayed_plays=decayed(36 * HOUR, 42 * HOUR),
            sessions_7d=2, session_minutes_7d=3.0, night_share_28d=0.0,
            top_genre="rock", top_genre_affinity=0.9,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.9, 0.0],
            user_vector=[1.0, 0.0],
        ),
    },
)

# Received before midnight, in the log behind the watermark. It is served as of the last watermark, not of a moment before it,
# and already with the second version.
STUCK_IN_THE_PIPE = Listener(
    name="stuck-in-the-pipe",
    sent=[Sent(event=song("rock-1", on(-1, "23:30")), at_ms=on(0, "00:00"))],
    nights={NIGHT: None},  # behind the cut
    served={
        NIGHT: Row(
            plays_24h=1, plays_7d=1, plays_yesterday=1, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=0.5,
            decayed_plays=decayed(30 * MINUTE),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5, 0.0],
            user_vector=[1.0, 0.0],
        )
    },
)

# The second listen reaches the log behind the first, though it was received before it: a row's instant never goes back.
COMES_OUT_OF_ORDER = Listener(
    name="comes-out-of-order",
    sent=[
        song("rock-1", on(0, "11:00")),
        Sent(event=song("jazz-1", on(0, "10:50"), received_at_ms=on(0, "10:55")), at_ms=on(0, "11:05")),
    ],
    served={
        on(0, "11:00") + 1: Row(
            plays_24h=2, plays_7d=2, plays_yesterday=0, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=6.0, distinct_items_28d=2, recency_hours=1 / 3_600_000,
            decayed_plays=decayed(1, 10 * MINUTE + 1),
            sessions_7d=1, session_minutes_7d=13.0, night_share_28d=0.0,  # 10:47 to 11:00
            top_genre="jazz", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.5, 0.0],
            user_vector=[0.6, 0.8],                                       # 0.5 x (6, 0) + 0.5 x (0, 8) = (3, 4), length 5
        )
    },
)

# Sent right behind the last watermark by a clock that is two days fast: 48 hours ahead is good, a millisecond more is not.
TWO_DAYS_AHEAD = Listener(
    name="two-days-ahead",
    sent=[
        Sent(event=song("rock-1", on(3, "00:00") + 1), at_ms=on(1, "00:00"), rejected="future"),
        Sent(event=song("rock-1", on(3, "00:00")), at_ms=on(1, "00:00")),
    ],
    nights={NIGHT: None, NEXT_NIGHT: None},
    served={
        on(3, "00:00") + 1: Row(
            plays_24h=1, plays_7d=1, plays_yesterday=0, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=1 / 3_600_000,
            decayed_plays=decayed(1),
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.0, 0.5, 0.0],
            user_vector=[1.0, 0.0],
        )
    },
)

GOOD = song("rock-1", on(-7, "00:00"), event_id="tap")

# A bad record counts in no feature and reserves no id: the good one, of the same id and instant, comes last.
SENDS_RUBBISH = Listener(
    name="sends-rubbish",
    sent=[
        Sent(event=GOOD, raw=(b"{",), rejected="not-json"),
        Sent(event=GOOD, raw=(None,), rejected="not-json"),
        Sent(event=GOOD, without="country", rejected="schema"),
        Sent(event=GOOD, changed={"ms_played": 180_000.0}, rejected="schema"),
        Sent(event=GOOD, changed={"ms_played": True}, rejected="schema"),
        Sent(event=GOOD, changed={"ms_played": "180000"}, rejected="schema"),
        Sent(event=GOOD, changed={"ms_played": -1}, rejected="schema"),
        Sent(event=GOOD, changed={"ms_played": 24 * HOUR + 1}, rejected="schema"),
        Sent(event=GOOD, changed={"duration_ms": 0}, rejected="schema"),
        Sent(event=GOOD, changed={"utc_offset_min": -721}, rejected="schema"),
        Sent(event=GOOD, changed={"utc_offset_min": 841}, rejected="schema"),
        Sent(event=GOOD, changed={"kind": "video"}, rejected="schema"),
        Sent(event=GOOD, changed={"device": "watch"}, rejected="schema"),
        Sent(event=GOOD, changed={"schema_version": 2}, rejected="schema"),
        Sent(event=GOOD, changed={"user_id": None}, rejected="schema"),
        Sent(event=GOOD, key="somebody-else", rejected="key"),
        Sent(event=GOOD, elsewhere=True, rejected="partition"),
        Sent(event=GOOD, changed={"received_at_ms": on(-7, "00:00") - 1}, rejected="future"),  # received before it ended
        GOOD,
    ],
    nights={
        NIGHT: Row(
            plays_7d=1, active_days_28d=1,
            skip_rate_28d=0.0, replay_rate_28d=0.0, completion_28d=0.75,
            listen_minutes_28d=3.0, distinct_items_28d=1, recency_hours=168.0, decayed_plays=0.5,
            sessions_7d=1, session_minutes_7d=3.0, night_share_28d=1.0,
            top_genre="rock", top_genre_affinity=0.5,
            genre_affinity=[0.0, 0.0, 0.0, 0.5, 0.0],
        )
    },
)
# fmt: on
