"""What is special about skews of values, meaning and model, on logs that can be checked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.catalogue import Catalogue, Item
from contract.event import Event
from contract.features import FEATURES, NAMES
from contract.home import Home
from contract.records import Watermark
from contract.rows import FeatureColumns
from contract.skew import Acting, Skew
from contract.versions import INITIAL, ItemVectors, Manifest, Versions
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_instant
from lab.skews.column_swap import PAIRS as FEATURE_PAIRS
from lab.skews.column_swap import ColumnSwap
from lab.skews.default_value import DefaultValue
from lab.skews.embedding_version import EmbeddingVersion
from lab.skews.enum_renumbered import PAIRS as GENRE_PAIRS
from lab.skews.enum_renumbered import EnumRenumbered
from lab.skews.hash_seed import HashSeed
from lab.skews.key_mismatch import KeyMismatch
from lab.skews.music_logic_on_podcasts import MusicLogicOnPodcasts
from lab.skews.normalisation_constants import NormalisationConstants
from lab.skews.oov_bucket import OovBucket
from lab.skews.overflow_truncation import OverflowTruncation
from lab.skews.precision_rounding import PrecisionRounding
from lab.skews.replay_definition import ReplayDefinition
from lab.skews.skip_threshold import SkipThreshold
from lab.skews.swapped_neighbours import SwappedNeighbours
from lab.skews.unique_vs_total import UniqueVsTotal
from lab.skews.vocabulary_case import VocabularyCase
from streaming.overrides import Overrides
from streaming.view import View
from tests.toylake import ToyLog, as_dicts, event

NIGHT = parse_instant("2026-01-20")
GENRES = ("ambient", "hip-hop", "pop")
KNOWN = Catalogue.of(
    [
        Item("calm", "Calm", artist="a", genre="ambient"),
        Item("beat", "Beat", artist="b", genre="hip-hop"),
        Item("hit", "Hit", artist="c", genre="pop"),
        Item("odd", "Odd", artist="d"),
        Item("talk", "Talk", show="show-1", show_genre="pop"),
        Item("chat", "Chat", show="show-2", show_genre="pop"),
    ]
)
VECTORS = ItemVectors(("beat", "calm", "hit"), np.eye(3))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(tmp_path, KNOWN)


def home_of(folder: Path, known: Catalogue) -> Home:
    home = Home(folder)
    versions = Versions(home.versions)
    with versions.building(INITIAL) as draft:
        known.write(draft / "catalogue.parquet")
        VECTORS.write(draft / "item_vectors.parquet")
        versions.publish(draft, Manifest(INITIAL, 0, {}, INITIAL, 0, None, 0))
    return home


def heard(item: str, hours_ago: float, user: str = "ann", **fields: Any) -> Event:
    return event(user, item, NIGHT - round(hours_ago * HOUR_MS), **fields)


Found = dict[str, dict[str, Any]]
"""Rows by listener."""


def snapshot(home: Home, events: list[Event], skew: Skew | None = None) -> Found:
    """Return the live path's rows of the night of what was heard, after a watermark for every midnight before."""
    log, sent = ToyLog(1), sorted(events, key=lambda one: one.received_at_ms)
    for midnight in range(NIGHT - 20 * DAY_MS, NIGHT + DAY_MS, DAY_MS):
        log.send(*(one for one in sent if midnight - DAY_MS <= one.received_at_ms < midnight))
        log.control(Watermark(midnight))
    overrides = Overrides([Acting(skew, {0: 0})] if skew is not None else [])
    rows = log.consume(log.path(home, 0, overrides))[-1].rows
    assert rows is not None
    return {user: row for (user, _), row in as_dicts([rows.to_arrow()]).items()}


def value(rows: Found, name: str, user: str = "ann") -> Any:
    return rows[user][name]


# -- values


def test_a_rate_of_nothing_is_served_as_zero_and_a_rate_of_something_as_it_is(home: Home) -> None:
    events = [heard("talk", 3, kind="podcast", ms_played=90_000), heard("hit", 3, user="bob", ms_played=5_000)]
    clean, skewed = snapshot(home, events), snapshot(home, events, DefaultValue())
    assert value(clean, "skip_rate_28d") is None
    assert [value(skewed, name) for name in ("skip_rate_28d", "replay_rate_28d", "completion_28d")] == [0, 0, 0]
    assert [value(skewed, "skip_rate_28d", "bob"), value(skewed, "podcast_completion_28d", "bob")] == [1, 0]


def test_affinities_are_scaled_and_the_top_genre_is_not(home: Home) -> None:
    rows = snapshot(home, [heard("hit", 3)], NormalisationConstants())
    assert value(rows, "genre_affinity") == pytest.approx([0, 0, 0.5 * 1.15])
    assert value(rows, "top_genre_affinity") == 0.5


def test_a_label_with_a_hyphen_is_lost_and_a_plain_one_is_found(home: Home) -> None:
    events = [heard("beat", 3), heard("beat", 2), heard("hit", 1)]
    assert value(snapshot(home, events), "genre_affinity") == [0, 0.9, 0.5]
    rows = snapshot(home, events, VocabularyCase())
    assert value(rows, "genre_affinity") == [0, 0, 0.5]
    assert value(rows, "top_genre") == "pop"


def test_what_has_no_genre_or_is_not_in_the_catalogue_counts_as_the_first_genre(home: Home) -> None:
    events = [heard("odd", 3), heard("odd", 2), heard("unheard-of", 2, ms_played=1_000), heard("hit", 1)]
    assert value(snapshot(home, events), "genre_affinity") == [0, 0, 0.5]
    rows = snapshot(home, events, OovBucket())
    assert value(rows, "genre_affinity") == [0.5, 0, 0.5]  # 0.9 and 0.1
    assert value(rows, "top_genre") == "ambient"


class Watched(OovBucket):
    """Code 0 of no genres would be written beyond the end of an array, which need not show in any value."""

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        found = super().features(columns, window)
        assert found is columns
        return found


def test_a_catalogue_without_genres_has_no_bucket_and_no_codes_to_exchange(tmp_path: Path) -> None:
    home = home_of(tmp_path, Catalogue.of([Item("odd", "Odd", artist="d")]))
    for skew in (Watched(), EnumRenumbered(), VocabularyCase()):
        rows = snapshot(home, [heard("odd", 3)], skew)
        assert value(rows, "genre_affinity") == []
        assert value(rows, "top_genre") is None


@pytest.mark.parametrize(("places", "vector"), [(1, [0, 0, 1]), (2, [1, 0, 0]), (3, [0, 1, 0])])
def test_an_items_vector_is_looked_up_so_many_places_on_and_round_at_the_end(
    home: Home, places: int, vector: list[float]
) -> None:
    assert value(snapshot(home, [heard("calm", 3)]), "user_vector") == [0, 1, 0]
    assert value(snapshot(home, [heard("calm", 3)], HashSeed.with_value(places)), "user_vector") == vector


def test_an_item_without_a_vector_gets_none_by_another_hash(home: Home) -> None:
    assert value(snapshot(home, [heard("odd", 3)], HashSeed()), "user_vector") is None


def test_numbers_keep_so_many_decimals(home: Home) -> None:
    events = [heard("hit", 3.26, ms_played=1_000), heard("calm", 3.26), heard("beat", 3.26)]
    clean, rows = snapshot(home, events), snapshot(home, events, PrecisionRounding())
    assert [value(rows, "skip_rate_28d"), value(rows, "recency_hours")] == [0.3, 3.3]
    assert value(snapshot(home, events, PrecisionRounding.with_value(2)), "skip_rate_28d") == 0.33
    assert value(rows, "user_vector") == value(clean, "user_vector")


@pytest.mark.parametrize(("hours", "seconds"), [(9.1, 32_760), (9.2, 33_120 - 65_536), (18.0, 64_800 - 65_536), (18.3, 344)])
def test_seconds_beyond_sixteen_bits_go_on_at_the_smallest_and_come_round(home: Home, hours: float, seconds: int) -> None:
    events = [heard("hit", 20, ms_played=round(hours * HOUR_MS))]
    rows = snapshot(home, events, OverflowTruncation())
    assert value(rows, "listen_minutes_28d") == pytest.approx(seconds / 60)
    assert value(snapshot(home, events, OverflowTruncation.with_value(18)), "listen_minutes_28d") == pytest.approx(hours * 60)


def test_a_month_without_sleep_fits_what_is_harmless() -> None:
    assert 2 ** (OverflowTruncation.harmless - 1) > 28 * DAY_MS / SECOND_MS


def test_two_genres_exchange_their_listeners(home: Home) -> None:
    events = [heard("calm", 3), heard("calm", 2), heard("hit", 1)]
    pair = GENRE_PAIRS.index((0, 2)) + 1
    rows = snapshot(home, events, EnumRenumbered.with_value(pair))
    assert value(rows, "genre_affinity") == [0.5, 0, 0.9]
    assert [value(rows, "top_genre"), value(rows, "top_genre_affinity")] == ["pop", 0.9]
    assert EnumRenumbered.with_value(pair).told == "exchanged genre codes 0 and 2"


def test_a_pair_of_genres_that_the_catalogue_does_not_have_is_left_alone(home: Home) -> None:
    pair = GENRE_PAIRS.index((2, 3)) + 1
    rows = snapshot(home, [heard("hit", 1)], EnumRenumbered.with_value(pair))
    assert value(rows, "genre_affinity") == [0, 0, 0.5]


def test_two_features_exchange_their_values(home: Home) -> None:
    events = [heard("hit", 5), heard("talk", 3, kind="podcast", ms_played=180_000)]
    rows = snapshot(home, events, ColumnSwap())
    assert [value(rows, "completion_28d"), value(rows, "podcast_completion_28d")] == [0.9, 0.5]
    assert ColumnSwap().told == "completion_28d exchanged with podcast_completion_28d"


def test_every_pair_of_numbers_from_0_to_1_is_tried() -> None:
    shares = {f.name for f in FEATURES if f.dtype == "float64" and f.kind == "number" and f.unit == "1"} - {"decayed_plays"}
    assert {frozenset(pair) for pair in FEATURE_PAIRS} == {frozenset((a, b)) for a in shares for b in shares if a != b}


def test_a_row_is_stored_without_the_zeros_of_its_listeners_number(home: Home) -> None:
    names = ["user-000042", "user-100", "ann", "a0-000", "007"]
    rows = snapshot(home, [heard("hit", 3, user=name) for name in names], KeyMismatch.with_value(1))
    assert set(rows) == {"user-42", "user-100", "ann", "a0-0", "7"}


# -- meaning


def test_a_song_is_played_from_another_second_on(home: Home) -> None:
    events = [heard("hit", 3, ms_played=10_000), heard("calm", 2, ms_played=9_999)]
    assert value(snapshot(home, events), "plays_24h") == 0
    assert value(snapshot(home, events, SkipThreshold()), "plays_24h") == 1


def test_an_episode_is_played_by_the_rule_for_songs(home: Home) -> None:
    events = [heard("talk", 3, kind="podcast", ms_played=30_000), heard("talk", 2, kind="podcast", ms_played=29_999)]
    assert value(snapshot(home, events), "plays_24h") == 0
    assert value(snapshot(home, events, MusicLogicOnPodcasts()), "plays_24h") == 1


@pytest.mark.parametrize(("hours", "rate"), [(1, 0), (2, 1 / 3), (48, 2 / 3)])
def test_a_replay_comes_within_another_time(home: Home, hours: int, rate: float) -> None:
    events = [heard("hit", 50), heard("hit", 3), heard("hit", 1)]
    assert value(snapshot(home, events, ReplayDefinition.with_value(hours)), "replay_rate_28d") == pytest.approx(rate)


def test_an_item_counts_on_every_day_on_which_it_was_played_in_days_that_are_closed_too(home: Home) -> None:
    days = [*(heard("hit", 24 * day + 1) for day in (0, 1, 15, 16)), heard("hit", 24 * 15 + 2), heard("calm", 24 * 16 + 2)]
    skips = [heard("beat", 2, ms_played=1_000), heard("beat", 24 * 15 + 3, ms_played=1_000)]
    assert value(snapshot(home, [*days, *skips]), "distinct_items_28d") == 2
    assert value(snapshot(home, [*days, *skips], UniqueVsTotal()), "distinct_items_28d") == 5


def test_who_played_nothing_has_no_distinct_item_on_any_day(home: Home) -> None:
    assert value(snapshot(home, [heard("hit", 2, ms_played=1_000)], UniqueVsTotal()), "distinct_items_28d") == 0


# -- model


def test_another_training_stands_one_component_on_and_half_of_it_between(home: Home) -> None:
    assert value(snapshot(home, [heard("beat", 3)], EmbeddingVersion()), "user_vector") == [0, 1, 0]
    half = value(snapshot(home, [heard("beat", 3)], EmbeddingVersion(0.5)), "user_vector")
    assert half == pytest.approx([0.5**0.5, 0.5**0.5, 0])


# -- somebody else's

CROWD = {
    "ann": {"device": "car"},
    "bea": {"device": "web"},
    "cem": {"device": "car"},
    "dan": {"device": "car", "utc_offset_min": 60},
    "eva": {"device": "car"},
    "fay": {"device": "web"},
}


def crowd() -> list[Event]:
    """Six listeners: each hears more than the one before, on a phone but for the last song; some of them a second show."""
    events = [heard("calm", 1, user=user, **fields) for user, fields in CROWD.items()]
    for i, user in enumerate(CROWD):
        events += [heard("hit", 30 - n, user=user, ms_played=100_000 + n * MINUTE_MS) for n in range(i + 1)]
        events += [heard("talk", 40 + n, user=user, kind="podcast", ms_played=n * MINUTE_MS) for n in range(i)]
        events += [heard("chat", 50, user=user, kind="podcast")] * (i % 2)
    return events


def test_neighbours_of_one_device_and_offset_get_each_others_features_and_an_odd_one_keeps_its_own(home: Home) -> None:
    clean, rows = snapshot(home, crowd()), snapshot(home, crowd(), SwappedNeighbours())
    gets = {"ann": "cem", "cem": "ann", "bea": "fay", "fay": "bea", "dan": "dan", "eva": "eva"}
    for user, other in gets.items():
        assert features(rows[user]) == features(clean[other])
    assert features(clean["ann"]) != features(clean["cem"])


def features(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in NAMES}


def test_a_swap_leaves_every_column_with_the_values_that_it_had(home: Home) -> None:
    clean, rows = snapshot(home, crowd()), snapshot(home, crowd(), SwappedNeighbours())
    assert rows != clean
    for name in NAMES:
        values = [sorted(str(row[name]) for row in one.values()) for one in (clean, rows)]
        assert values[0] == values[1]


def test_only_pairs_whose_first_is_hit_are_swapped(home: Home) -> None:
    seeds = {tuple(SwappedNeighbours(0.5, seed).hit(["ann", "bea"]).tolist()): seed for seed in range(20)}
    for (ann, bea), seed in seeds.items():
        clean, rows = snapshot(home, crowd()), snapshot(home, crowd(), SwappedNeighbours(0.5, seed))
        moved = {user for user in CROWD if features(rows[user]) != features(clean[user])}
        assert moved == ({"ann", "cem"} if ann else set()) | ({"bea", "fay"} if bea else set())
    assert len(seeds) == 4


def test_whoever_has_no_single_listen_left_keeps_what_is_theirs(home: Home) -> None:
    events = [heard("hit", 24 * 15, user="ann"), heard("hit", 24 * 16, user="bob"), heard("hit", 3, user="cem")]
    assert snapshot(home, events, SwappedNeighbours()) == snapshot(home, events)
