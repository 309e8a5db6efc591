"""The feature registry: exactly the features of the design, with their types, windows and null rules."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contract import ranker
from contract.features import BY_NAME, FEATURES, ROW_SCHEMA, Feature, FeatureConstants

INT, FLOAT, TEXT = pa.int64(), pa.float64(), pa.string()
VECTOR = pa.list_(FLOAT)
DESIGN = {
    # name: (kind, column type, window, may be null, the ranker uses it)
    "plays_24h": ("number", INT, "24 h", False, False),
    "plays_7d": ("number", INT, "168 h", False, True),
    "plays_yesterday": ("number", INT, "the last whole calendar day before T", False, False),
    "active_days_28d": ("number", INT, "28 d", False, False),
    "skip_rate_28d": ("number", FLOAT, "28 d", True, True),
    "replay_rate_28d": ("number", FLOAT, "28 d", True, False),
    "listen_minutes_28d": ("number", FLOAT, "28 d", False, False),
    "completion_28d": ("number", FLOAT, "28 d", True, False),
    "distinct_items_28d": ("number", INT, "28 d", False, False),
    "recency_hours": ("number", FLOAT, "28 d", False, False),
    "decayed_plays": ("number", FLOAT, "28 d", False, False),
    "sessions_7d": ("number", INT, "7 d", False, False),
    "session_minutes_7d": ("number", FLOAT, "7 d", True, False),
    "night_share_28d": ("number", FLOAT, "28 d", False, False),
    "phone_share_28d": ("number", FLOAT, "28 d", False, False),
    "podcast_share_28d": ("number", FLOAT, "28 d", True, True),
    "podcast_completion_28d": ("number", FLOAT, "28 d", True, True),
    "show_completion_28d": ("map", pa.map_(TEXT, FLOAT), "28 d", False, True),
    "show_listens_28d": ("map", pa.map_(TEXT, INT), "28 d", False, True),
    "top_genre": ("category", TEXT, "28 d", True, False),
    "top_genre_affinity": ("number", FLOAT, "28 d", True, False),
    "genre_affinity": ("vector", VECTOR, "28 d", False, True),
    "user_vector": ("vector", VECTOR, "28 d", True, False),
}


def test_the_registry_has_the_features_of_the_design_in_order_and_no_others() -> None:
    assert [entry.name for entry in FEATURES] == list(DESIGN)


@pytest.mark.parametrize("name", DESIGN)
def test_a_feature_is_as_designed(name: str) -> None:
    entry = BY_NAME[name]
    may_be_null = not entry.null.startswith("never null")
    assert (entry.kind, entry.arrow_type, entry.window, may_be_null, entry.ranker) == DESIGN[name]


@pytest.mark.parametrize("entry", FEATURES, ids=lambda entry: entry.name)
def test_a_feature_has_a_definition_a_unit_an_owner_the_default_tolerance_and_a_null_rule(entry: Feature) -> None:
    assert all((entry.definition, entry.unit, entry.owner))
    assert entry.tolerance == 1e-6
    assert entry.null.startswith(("never null", "null without", "null where"))


def test_the_features_marked_for_the_ranker_are_those_among_its_columns() -> None:
    assert {entry.name for entry in FEATURES if entry.ranker} == set(ranker.COLUMNS) - set(ranker.SHOW_COLUMNS)


def test_the_constants_are_those_of_the_definitions() -> None:
    constants = FeatureConstants()
    assert (constants.music_skip_ms, constants.podcast_skip_ms) == (30_000, 60_000)
    assert constants.replay_window_ms == 86_400_000
    assert constants.session_gap_ms == 1_800_000
    assert constants.half_life_ms == 604_800_000
    assert (constants.short_window_h, constants.week_window_h) == (24, 168)
    assert (constants.month_window_d, constants.session_window_d) == (28, 7)
    assert (constants.night_from_hour, constants.night_until_hour) == (22, 6)
    assert (constants.skip_tenths, constants.play_tenths, constants.replay_tenths) == (1, 5, 9)
    assert constants.calendar_offset_min == 0


def test_a_row_is_its_key_the_features_and_the_ranking() -> None:
    assert ROW_SCHEMA.names == ["user_id", "as_of_ms", "partition", "cut", "version", *DESIGN, "shows", "scores"]


def test_a_row_names_its_key_in_full_and_may_lack_anything_else() -> None:
    assert [field.type for field in ROW_SCHEMA][:5] == [TEXT, INT, pa.int32(), INT, TEXT]
    assert [field.name for field in ROW_SCHEMA if not field.nullable] == ["user_id", "as_of_ms", "partition", "cut", "version"]


def test_a_row_has_the_types_of_the_registry_and_lists_of_shows_and_scores() -> None:
    assert [ROW_SCHEMA.field(name).type for name in DESIGN] == [design[1] for design in DESIGN.values()]
    assert (ROW_SCHEMA.field("shows").type, ROW_SCHEMA.field("scores").type) == (pa.list_(TEXT), VECTOR)
