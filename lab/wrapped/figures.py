"""One listener's figures of a log: what was heard most, how much, when, and how that compares.

What a log cannot tell is None, never a guess: minutes where no row says how long, hours where no row says when, a rank where
there is nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from contract.catalogue import Catalogue, Item
from contract.errors import UsageError
from contract.windows import DAY_MS, HOUR_MS
from lab.wrapped.log import Log, months
from lab.wrapped.taste import cluster_of

TOP = 5
LEAST_LISTENS = 5
"""Of fewer listens nothing can be said that the listener does not know."""


@dataclass(frozen=True)
class Entry:
    """One line of a ranking: a song, a show, an artist. ``title`` is None where no catalogue knows it."""

    key: str
    title: str | None
    group: str | None
    count: int


@dataclass(frozen=True)
class Share:
    """Where a listener stands among those with a play of the same artist, by amount: ``rank`` 1 is the most of all."""

    rank: int
    listeners: int

    @property
    def top_percent(self) -> int:
        """The smallest whole p such that the listener is in the top p %."""
        return -(-100 * self.rank // self.listeners)


@dataclass(frozen=True)
class Calendar:
    """When it was, by the listener's clock. ``months`` (YYYY-MM) and hours (0 to 23) are of plays; days are 1970's count."""

    first_ms: int
    last_ms: int
    days: int
    busiest_month: str | None
    earliest_hour: int | None
    latest_hour: int | None
    longest_streak: int


@dataclass(frozen=True)
class Figures:
    """All figures of one listener; see ``docs/wrapped.md`` for the definition of each."""

    user: str
    listens: int
    plays: int
    amount: float | None
    top_items: tuple[Entry, ...]
    top_shows: tuple[Entry, ...]
    top_group: Entry | None
    top_genre: str | None
    share: Share | None
    calendar: Calendar | None
    cluster: str | None


def figures(log: Log, user: str | None = None) -> Figures:
    """Work out the figures of a listener; of the one with the most listens where none is named.

    Raises:
        UsageError: nobody of that name is in the log, or there are fewer than ``LEAST_LISTENS`` listens.
    """
    name = _most(log) if user is None else user
    own = log.rows[(log.rows["user"] == name).to_numpy()]
    _require(log, own, name)
    plays = own[own["play"]]
    songs, talks = plays[~plays["podcast"]], plays[plays["podcast"]]
    groups = _ranking(_named(songs, log.catalogue, "artist"))
    genres = _ranking(_named(songs, log.catalogue, "effective_genre"))
    return Figures(
        user=name,
        listens=len(own),
        plays=len(plays),
        amount=own["amount"].sum().item() if log.measured else None,
        top_items=_items(songs, log.catalogue),
        top_shows=tuple(groups_of(_ranking(_named(talks, log.catalogue, "show")))[:TOP]),
        top_group=next(iter(groups_of(groups)), None),
        top_genre=genres[0][0] if genres else None,
        share=_share(log, name, groups[0][0]) if groups else None,
        calendar=_calendar(own, plays) if log.timed else None,
        cluster=cluster_of(log.rows, log.catalogue, name) if log.taste else None,
    )


def groups_of(ranking: list[tuple[str, int]]) -> list[Entry]:
    """Return a ranking of names as entries."""
    return [Entry(name, name, None, count) for name, count in ranking]


def _most(log: Log) -> str:
    counts = log.rows["user"].value_counts()
    return min((str(name) for name in counts.index[counts == counts.max()]), default="")


def _require(log: Log, own: pd.DataFrame, name: str) -> None:
    if own.empty and name not in log.silent:
        known = sorted(map(str, log.rows["user"].unique()))
        told = f"{log.source} has {len(known)}, such as {', '.join(known[:3])}" if known else f"{log.source} has nobody"
        raise UsageError(f"There is nobody called '{name}'", told, "Name one of them")
    if len(own) < LEAST_LISTENS:
        why = f"{log.source} has {len(own)} of '{name}', and a review begins at {LEAST_LISTENS}"
        raise UsageError("There is too little to review", why, "Come back later, or name another")


def _named(rows: pd.DataFrame, catalogue: Catalogue, field: str) -> pd.Series:
    """Return a field of the catalogue for each row whose item has one."""
    known = {item: getattr(catalogue.items[item], field) for item in rows["item"].unique() if item in catalogue.items}
    return rows["item"].astype(object).map(known).dropna()


def _ranking(names: pd.Series) -> list[tuple[str, int]]:
    """Count names, the most frequent first, equals by name."""
    counts = {str(name): int(count) for name, count in names.value_counts().items() if count}
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _items(songs: pd.DataFrame, catalogue: Catalogue) -> tuple[Entry, ...]:
    def entry(item: str, count: int) -> Entry:
        known = catalogue.items.get(item, Item(item, ""))
        return Entry(item, known.title or None, known.artist, count)

    entries = [entry(item, count) for item, count in _ranking(songs["item"])]
    return tuple(sorted(entries, key=lambda one: (-one.count, one.title or one.key, one.key))[:TOP])


def _share(log: Log, user: str, artist: str) -> Share | None:
    """Rank a listener by amount among all with a play of the artist; equals share the better rank."""
    items = [item.item_id for item in log.catalogue.items.values() if item.artist == artist]
    heard = log.rows[(log.rows["item"].isin(items) & ~log.rows["podcast"]).to_numpy()]
    by_user = heard.groupby("user", observed=True)[["play", "amount"]].sum()
    amount = by_user["amount"][by_user["play"] > 0]
    return Share(int((amount > amount[user]).sum()) + 1, len(amount)) if len(amount) > 1 else None


def _calendar(own: pd.DataFrame, plays: pd.DataFrame) -> Calendar:
    local = plays["local_ms"]
    hours = local // HOUR_MS % 24
    return Calendar(
        first_ms=int(own["local_ms"].min()),
        last_ms=int(own["local_ms"].max()),
        days=(own["local_ms"] // DAY_MS).nunique(),
        busiest_month=_busiest(plays),
        earliest_hour=int(hours.min()) if len(hours) else None,
        latest_hour=int(hours.max()) if len(hours) else None,
        longest_streak=_streak(np.unique(local // DAY_MS)),
    )


def _busiest(plays: pd.DataFrame) -> str | None:
    """Return the month with the most plays, the earlier of equals."""
    return next((month for month, _ in _ranking(pd.Series(months(plays["local_ms"])))), None)


def _streak(days: np.ndarray) -> int:
    """Return the longest run of days, each the day after the one before; ``days`` ascend, each once."""
    if not len(days):
        return 0
    runs = np.split(days, np.flatnonzero(np.diff(days) != 1) + 1)
    return max(len(run) for run in runs)
