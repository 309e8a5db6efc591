"""The feature registry: what each feature means, never how it is computed.

A feature is a named value of a listener *as of* an instant T. Both paths compute every entry, each in its own code. The words
listen, skip, play, replay and engagement are defined in ``docs/design.md``, section "Words"; windows in ``contract.windows``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from contract.windows import DAY_MS, MINUTE_MS, SECOND_MS

Kind = Literal["number", "category", "vector", "map"]


@dataclass(frozen=True)
class FeatureConstants:
    """The numbers inside the definitions. A skew of the ``settings`` kind exchanges one of them in one path."""

    music_skip_ms: int = 30 * SECOND_MS
    podcast_skip_ms: int = 60 * SECOND_MS
    replay_window_ms: int = DAY_MS
    session_gap_ms: int = 30 * MINUTE_MS
    half_life_ms: int = 7 * DAY_MS
    short_window_h: int = 24
    week_window_h: int = 168
    month_window_d: int = 28
    session_window_d: int = 7
    night_from_hour: int = 22
    night_until_hour: int = 6
    calendar_offset_min: int = 0
    skip_tenths: int = 1
    play_tenths: int = 5
    replay_tenths: int = 9


@dataclass(frozen=True)
class Feature:
    """One entry. ``tolerance`` is relative and belongs to the monitor's alarm, not to the tests' equality."""

    name: str
    kind: Kind
    dtype: Literal["int64", "float64", "string"]
    unit: str
    window: str
    definition: str
    null: str
    owner: str
    tolerance: float = 1e-6
    ranker: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """The column type of the feature in every frame."""
        scalar = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}[self.dtype]
        if self.kind == "vector":
            return pa.list_(scalar)
        return pa.map_(pa.string(), scalar) if self.kind == "map" else scalar


def _count(name: str, window: str, definition: str, owner: str, *, unit: str = "1", ranker: bool = False) -> Feature:
    return Feature(name, "number", "int64", unit, window, definition, "never null, 0", owner, ranker=ranker)


def _number(name: str, window: str, definition: str, null: str, owner: str, *, unit: str = "1", ranker: bool = False) -> Feature:
    return Feature(name, "number", "float64", unit, window, definition, null, owner, ranker=ranker)


FEATURES: tuple[Feature, ...] = (
    _count("plays_24h", "24 h", "plays", "listening"),
    _count("plays_7d", "168 h", "plays", "listening", ranker=True),
    _count("plays_yesterday", "the last whole calendar day before T", "plays", "listening"),
    _count("active_days_28d", "28 d", "distinct calendar days among the window's plays", "listening", unit="d"),
    _number("skip_rate_28d", "28 d", "music skips / music listens", "null without a music listen", "listening", ranker=True),
    _number("replay_rate_28d", "28 d", "replays / music listens", "null without a music listen", "listening"),
    _number("listen_minutes_28d", "28 d", "sum of ms_played of listens / 60,000", "never null, 0", "listening", unit="min"),
    _number(
        "completion_28d",
        "28 d",
        "mean of min(1, ms_played / duration_ms) over music listens with a duration",
        "null without such a listen",
        "listening",
    ),
    _count("distinct_items_28d", "28 d", "distinct items with a play, exact", "listening"),
    _number("recency_hours", "28 d", "(T - ts of the last listen) / 3,600,000", "never null", "listening", unit="h"),
    _number(
        "decayed_plays",
        "28 d",
        "sum of 2^(-(T - ts) / 7 d) over plays",
        "never null, 0",
        "listening",
    ),
    _count("sessions_7d", "7 d", "sessions: runs of listens with gaps of at most 30 min", "sessions"),
    _number(
        "session_minutes_7d",
        "7 d",
        "mean of (largest end - first start) of the sessions",
        "null without a session",
        "sessions",
        unit="min",
    ),
    _number(
        "night_share_28d",
        "28 d",
        "share of listens whose local hour is in 22..23 or 0..5",
        "never null",
        "sessions",
    ),
    _number("phone_share_28d", "28 d", "share of listens on a phone", "never null", "sessions"),
    _number("podcast_share_28d", "28 d", "podcast ms / all ms", "null where all ms are 0", "podcasts", ranker=True),
    _number(
        "podcast_completion_28d",
        "28 d",
        "mean over episodes with a known duration of min(1, sum of ms_played / largest duration_ms)",
        "null without such an episode",
        "podcasts",
        ranker=True,
    ),
    Feature(
        "show_completion_28d",
        "map",
        "float64",
        "1",
        "28 d",
        "show -> the mean of podcast_completion_28d over the show's episodes",
        "never null, shows without one are absent",
        "podcasts",
        ranker=True,
    ),
    Feature(
        "show_listens_28d",
        "map",
        "int64",
        "1",
        "28 d",
        "show -> podcast listens",
        "never null, shows without one are absent",
        "podcasts",
        ranker=True,
    ),
    Feature(
        "top_genre",
        "category",
        "string",
        "genre",
        "28 d",
        "genre with the highest mean engagement over its pairs, ties by code point",
        "null without a pair of a known genre",
        "taste",
    ),
    _number("top_genre_affinity", "28 d", "the mean engagement of top_genre", "null without a pair of a known genre", "taste"),
    Feature(
        "genre_affinity",
        "vector",
        "float64",
        "1",
        "28 d",
        "per genre of the catalogue the mean engagement of its pairs",
        "never null, 0 where a genre has no pair",
        "taste",
        ranker=True,
    ),
    Feature(
        "user_vector",
        "vector",
        "float64",
        "1",
        "28 d",
        "L2-normalised sum of engagement x item vector over pairs whose item has a vector",
        "null without such a pair or where the norm is 0",
        "taste",
    ),
)

BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}
NAMES: tuple[str, ...] = tuple(BY_NAME)

KEY_FIELDS = (
    pa.field("user_id", pa.string(), nullable=False),
    pa.field("as_of_ms", pa.int64(), nullable=False),
    pa.field("partition", pa.int32(), nullable=False),
    pa.field("cut", pa.int64(), nullable=False),
    pa.field("version", pa.string(), nullable=False),
)
"""Whose row, as of when, from which offsets of which partition, and with which version of catalogue, vectors and ranker."""

RANKING_FIELDS = (pa.field("shows", pa.list_(pa.string())), pa.field("scores", pa.list_(pa.float64())))
"""The first ten shows for the listener, best first, with their scores; null where the version has no ranker."""

FEATURE_FIELDS = tuple(pa.field(f.name, f.arrow_type) for f in FEATURES)
ROW_SCHEMA = pa.schema([*KEY_FIELDS, *FEATURE_FIELDS, *RANKING_FIELDS])
"""One row of features and ranking: a night's, a snapshot's, a served one, a recomputed one. Maps are sorted by key."""

TOP = 10
