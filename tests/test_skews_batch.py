"""Contract checks that every skew of the batch side has to pass, but for those of training alone; and two toy logs.

A small world is archived up to a midnight, and the batch path computes everybody's rows of that night with a skew and without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from batch.listens import REQUEST, Job
from batch.rows import rows_as_of
from contract.catalogue import Catalogue
from contract.event import Event
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.skew import Skew
from contract.versions import INITIAL, ItemVectors, Manifest, Version, Versions
from contract.windows import DAY_MS, HOUR_MS, SECOND_MS, parse_instant
from lab.skews import catalogue
from lab.skews.bot_filter import BotFilter
from lab.skews.sampling_bias import SamplingBias
from lab.source import WorldSource
from lab.world import World
from monitoring.compare import align, mismatches
from tests.toylake import ToyLog, event, home_with

LISTENERS, HISTORY, PARTITIONS, SEED = 60, 10, 2, 2
HOOKS = ("batch_settings", "batch_events", "batch_features")
SKEWS = {
    name: skew
    for name, skew in catalogue().items()
    if skew.side == "batch" and any(getattr(skew, hook) is not getattr(Skew, hook) for hook in HOOKS)
}
BEGIN = parse_instant("2026-01-05")


@dataclass(frozen=True)
class Night:
    """A lake and the midnight that it reaches."""

    spark: SparkSession
    lake: Lake
    version: Version
    at_ms: int

    def rows(self, *skews: Skew) -> pa.Table:
        return rows_as_of(Job(self.spark, self.lake, skews), self.version, self.at_ms, self.lake.cut(self.at_ms))

    @cached_property
    def clean(self) -> pa.Table:
        return self.rows()


@pytest.fixture(scope="module")
def small(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Night:
    home, world, log = Home(tmp_path_factory.mktemp("home")), World(7, LISTENERS, history_days=HISTORY), ToyLog(PARTITIONS)
    source = WorldSource(world, 1)
    for day in range(-HISTORY, 1):
        for message in source.messages(day, PARTITIONS):
            log.raw(*message)
        log.control(Watermark(source.midnight(day + 1)))
    return Night(spark, log.archive(home), version_with_vectors(home, world.catalogue), source.midnight(1))


def version_with_vectors(home: Home, known: Catalogue) -> Version:
    versions, items = Versions(home.versions), tuple(known.items)
    with versions.building(INITIAL) as draft:
        known.write(draft / "catalogue.parquet")
        ItemVectors(items, np.random.default_rng(SEED).normal(0, 1, (len(items), 8))).write(draft / "item_vectors.parquet")
        return versions.publish(draft, Manifest(INITIAL, 0, {}, INITIAL, 0, None, 0))


def check_it_changes_nothing_at_severity_0(skew: type[Skew], small: Night) -> None:
    assert small.rows(skew(0, SEED)).equals(small.clean)


def check_two_of_one_seed_do_the_same(skew: type[Skew], small: Night) -> None:
    assert small.rows(skew(0.7, SEED)).equals(small.rows(skew(0.7, SEED)))


def check_it_moves_what_it_says_and_nothing_else(skew: type[Skew], small: Night) -> None:
    pair = align(small.clean, small.rows(skew(1, SEED)), REQUEST)
    moved = set(mismatches(pair))
    assert moved & set(skew.moves)
    assert moved <= set(skew.moves)
    assert not len(pair.extra)


CHECKS: list[Callable[[type[Skew], Night], None]] = [
    check_it_changes_nothing_at_severity_0,
    check_two_of_one_seed_do_the_same,
    check_it_moves_what_it_says_and_nothing_else,
]


@pytest.mark.spark
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("skew", SKEWS.values(), ids=SKEWS)
def test_every_skew_of_the_batch_side(check: Callable[[type[Skew], Night], None], skew: type[Skew], small: Night) -> None:
    check(skew, small)


# -- by hand


def at(day: int, hour: float = 0.0) -> int:
    """Say an instant: midnight number ``day``, and so many hours."""
    return BEGIN + day * DAY_MS + round(hour * HOUR_MS)


def night(spark: SparkSession, folder: Path, days: int, *events: Event) -> Night:
    """Archive what came before midnight number ``days`` and, behind it, what came later."""
    home, version = home_with(folder, Catalogue.of([]))
    log = ToyLog(1)
    log.control(Watermark(BEGIN))
    log.send(*(one for one in events if one.received_at_ms < at(days)))
    log.control(Watermark(at(days)))
    log.send(*(one for one in events if one.received_at_ms >= at(days)))
    return Night(spark, log.archive(home), version, at(days))


@pytest.mark.spark
def test_a_busy_day_is_judged_by_what_came_on_it_and_goes_as_a_whole(spark: SparkSession, tmp_path: Path) -> None:
    busy = [event("ann", item, at(0, hour)) for hour, item in enumerate("abc", 1)]
    late = event("ann", "d", at(0, 23), received_at_ms=at(1, 1))
    calm = [event("ann", "e", at(1, hour)) for hour in (2, 3)]
    filled_later = [event("bob", "a", at(1, 23)), *(event("bob", x, at(1, 23.5), received_at_ms=at(2, 1)) for x in "bc")]
    lived = night(spark, tmp_path, 2, *busy, late, *calm, *filled_later)
    found = [lived.rows(BotFilter.with_value(most)).to_pydict() for most in (2, 3)]
    assert [dict(zip(rows["user_id"], rows["plays_7d"], strict=True)) for rows in found] == [
        {"ann": 2, "bob": 1},
        {"ann": 6, "bob": 1},
    ]


@pytest.mark.spark
def test_skips_of_either_kind_are_forgotten_and_plays_are_not(spark: SparkSession, tmp_path: Path) -> None:
    played = [("music", 29_999), ("music", 30_000), ("podcast", 59_999), ("podcast", 60_000)]
    events = [event("ann", f"{kind}-{ms}", at(0, 1), kind=kind, ms_played=ms) for kind, ms in played]
    lived = night(spark, tmp_path, 1, *events, event("bob", "a", at(0, 2), ms_played=SECOND_MS))
    (row,) = lived.rows(SamplingBias.with_value(1)).to_pylist()
    assert (row["user_id"], row["skip_rate_28d"], row["listen_minutes_28d"]) == ("ann", 0, 1.5)


@pytest.mark.spark
def test_the_share_of_listeners_whose_skips_are_forgotten_is_the_severity_s(spark: SparkSession, small: Night) -> None:
    clean = dict(zip(*small.clean.select(["user_id", "skip_rate_28d"]).to_pydict().values(), strict=True))
    found = small.rows(SamplingBias(1, SEED)).to_pylist()
    hit = [row["user_id"] for row in found if row["skip_rate_28d"] == 0 and clean[row["user_id"]] > 0]
    others = [row["user_id"] for row in found if clean[row["user_id"]] and row["skip_rate_28d"] == clean[row["user_id"]]]
    assert len(hit) + len(others) == sum(1 for rate in clean.values() if rate)
    assert 0.15 < len(hit) / (len(hit) + len(others)) < 0.45
