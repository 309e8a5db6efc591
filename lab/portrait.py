"""A listener in a few sentences: how they listen, by what the night knows, and which settings hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from contract.preferences import Preference
from contract.version import Version
from lab.words import counted, day, percent

CLUSTERS: Mapping[str, str] = {
    "skippers": "you skip more than most",
    "patient listeners": "you skip less than most",
    "repeat listeners": "what you like you play again and again",
    "explorers": "you seldom play the same thing twice",
    "finishers": "what you start you mostly hear to the end",
    "samplers": "you try many things and leave them early",
    "podcast listeners": "podcasts are more of your listening than of most people's",
    "music listeners": "you are here for the music rather than for podcasts",
    "night owls": "you listen at night more than most",
    "day listeners": "you listen by day",
    "heavy listeners": "you listen more than most",
    "occasional listeners": "you listen now and then",
}
"""How a taste cluster of ``batch.clusters`` is told to somebody who is in it."""


@dataclass(frozen=True)
class Portrait:
    """What a version knows of a listener; parts that it does not know are None or 0."""

    as_of_ms: int
    days: int
    minutes: float
    cluster: str | None
    genre: str | None
    skips: float | None

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "active_days_28d": self.days,
            "listen_minutes_28d": self.minutes,
            "skip_rate_28d": self.skips,
            "taste_cluster": self.cluster,
            "top_genre": self.genre,
        }

    def sentences(self) -> list[str]:
        """Tell it to the listener."""
        told = [
            f"In the four weeks before {day(self.as_of_ms)} you listened on {counted(self.days, 'day')}, {self._long()} in all"
        ]
        known = _known(self.cluster)
        told[0] += f": {known}." if known else "."
        if self.genre:
            told.append(f"The genre you enjoy most is {self.genre}.")
        if self.skips is not None:
            told.append(f"You skip {percent(self.skips)} of the songs you start." if self.skips else "You skip no song at all.")
        return told

    def _long(self) -> str:
        """Say how long: in minutes below two hours, in hours from there on."""
        return counted(round(self.minutes), "minute") if self.minutes < 120 else counted(round(self.minutes / 60), "hour")


def portrait(version: Version, user: str) -> Portrait | None:
    """Return what a version knows of a listener; None where it has no row of theirs."""
    row = _first(pq.read_table(version.rows, filters=[("user_id", "=", user)]).to_pylist()) if version.rows.exists() else None
    if row is None:
        return None
    profiles = version.folder / "profiles.parquet"
    profile = _first(pq.read_table(profiles, columns=["cluster"], filters=[("user_id", "=", user)]).to_pylist()) or {}
    return Portrait(
        as_of_ms=row["as_of_ms"],
        days=row["active_days_28d"],
        minutes=row["listen_minutes_28d"],
        cluster=profile.get("cluster"),
        genre=row["top_genre"],
        skips=row["skip_rate_28d"],
    )


def settings_of(wishes: Preference) -> str:
    """Say which of a listener's settings are not the usual ones; nothing where all are."""
    if wishes.privacy_first:
        return "You asked for privacy first, so nothing that you heard is used."
    if not wishes.personalisation:
        return "You have switched personal recommendations off."
    return "You asked to explore, so more of it than usual is new to you." if wishes.explore else ""


def _known(cluster: str | None) -> str | None:
    return CLUSTERS.get(cluster.split(" (")[0]) if cluster else None


def _first(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    return rows[0] if rows else None
