"""A class: who heard what and how they took it. Built in, from a folder, or from any matrix of ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from batch.engagement import Engagement
from contract.catalogue import Catalogue, Item
from contract.errors import UsageError
from contract.features import FeatureConstants
from lab.importers.read import column_of, numbers, read_table
from lab.world.chance import stream

SONGS = (
    ("Blinding Lights", "The Weeknd", "Pop"),
    ("HUMBLE.", "Kendrick Lamar", "Hip-Hop"),
    ("Levitating", "Dua Lipa", "Pop"),
    ("bad guy", "Billie Eilish", "Indie Pop"),
    ("God's Plan", "Drake", "Hip-Hop"),
    ("As It Was", "Harry Styles", "Pop"),
    ("MONTERO", "Lil Nas X", "Hip-Hop"),
    ("drivers license", "Olivia Rodrigo", "Pop"),
    ("Watermelon Sugar", "Harry Styles", "Pop"),
    ("Peaches", "Justin Bieber", "R&B"),
    ("Industry Baby", "Lil Nas X", "Hip-Hop"),
    ("good 4 u", "Olivia Rodrigo", "Pop Rock"),
    ("Leave The Door Open", "Bruno Mars", "R&B"),
    ("STAY", "The Kid LAROI and Justin Bieber", "Pop"),
    ("Heat Waves", "Glass Animals", "Indie"),
)
LISTENERS = 10
ONE_STAR = 2
"""Of five stars one, in tenths: what counts as skipped in a matrix of ratings."""


@dataclass(frozen=True)
class Group:
    """A class. ``notes`` say what was odd about its files."""

    heard: Engagement
    catalogue: Catalogue
    constants: FeatureConstants = field(default_factory=FeatureConstants)
    notes: Sequence[str] = ()


def built_in(seed: int) -> Group:
    """Return the built-in class: fifteen real titles, ten listeners whose engagement is drawn."""
    rng = stream(seed, "classroom")
    genres = sorted({genre for _, _, genre in SONGS})
    likes = rng.random((LISTENERS, len(genres)))
    chance = likes[:, [genres.index(genre) for _, _, genre in SONGS]]
    drawn = chance + rng.normal(0, 0.25, chance.shape)
    scores = np.where(drawn < 0.35, 0.1, np.where(drawn < 0.7, 0.5, 0.9))
    users = [f"user_{i + 1:02d}" for i in range(LISTENERS)]
    table = {(users[i], SONGS[j][0]): float(scores[i, j]) for i in range(LISTENERS) for j in range(len(SONGS))}
    return Group(_engagement(table, users, []), _catalogue(SONGS))


def from_folder(folder: Path) -> Group:
    """Read ``engagement.csv`` (user_id, song, engagement_score from 0 to 1) and ``songs.csv`` (song, artist, genre).

    Raises:
        UsageError: a file or column is missing, a score is none or outside its range, or a pair stands twice.
    """
    songs, scores = read_table(folder, "songs.csv"), read_table(folder, "engagement.csv")
    names = [column_of(songs, name, f"'{name}' of songs.csv").tolist() for name in ("song", "artist", "genre")]
    users, titles = (column_of(scores, name, f"'{name}' of engagement.csv").tolist() for name in ("user_id", "song"))
    if not len(scores):
        raise UsageError("engagement.csv has no score", "it has a head alone", "Give a line a listener and song")
    _require_named(users, "engagement.csv")
    values = _in_range(column_of(scores, "engagement_score", "'engagement_score' of engagement.csv"), 1.0, "engagement score")
    pairs = list(zip(users, titles, strict=True))
    _require_once(pairs, "The listener and song", "engagement.csv")
    _require_once(names[0], "The song", "songs.csv")
    group = _engagement(dict(zip(pairs, values, strict=True)), users, names[0])
    unknown = sorted({*titles} - {*names[0]})
    notes = [f"{len(unknown)} not in songs.csv, so of no known genre: {', '.join(unknown)}"] if unknown else []
    return Group(group, _catalogue(list(zip(*names, strict=True))), notes=[*_notes(group), *notes])


def from_ratings(file: Path, scale: float) -> Group:
    """Read a matrix of ratings: a line a listener, a column an item, from 0 ("not rated") to ``scale``.

    Raises:
        UsageError: the file cannot be read, a rating is none or outside its range, or a listener or item stands twice.
    """
    table = read_table(file.parent, file.name)
    if not len(table):
        raise UsageError(f"{file.name} has no listener", "it has a head alone", "Give a line a listener, a column an item")
    if table.shape[1] < 2:
        raise UsageError(
            f"{file.name} has no items", "it has one column", "Give a line a listener, a column an item, commas between"
        )
    users = table.iloc[:, 0].tolist()
    _require_named(users, file.name)
    _require_once(users, "The listener", file.name)
    items = [str(name) for name in table.columns[1:]]
    found: dict[tuple[str, str], float] = {}
    for item in items:
        values = _in_range(table[item], scale, f"rating of '{item}'")
        found |= {(user, item): value / scale for user, value in zip(users, values, strict=True)}
    group = _engagement(found, users, items)
    constants = FeatureConstants(skip_tenths=ONE_STAR)
    return Group(group, Catalogue.of(Item(item, item) for item in items), constants, _notes(group))


def _engagement(scores: Mapping[tuple[str, str], float], users: Sequence[str], songs: Sequence[str]) -> Engagement:
    """Put scores into a matrix, 0 meaning not heard; names ascend."""
    rows, columns = sorted({*users}), sorted({*songs, *(song for _, song in scores)})
    place, code = {user: i for i, user in enumerate(rows)}, {song: j for j, song in enumerate(columns)}
    entries = [(place[user], code[song], value) for (user, song), value in sorted(scores.items()) if value > 0]
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = csr_array((np.array(value, np.float64), (np.array(row, int), np.array(column, int))), (len(rows), len(columns)))
    matrix.sort_indices()
    return Engagement(tuple(rows), tuple(columns), matrix)


def _catalogue(songs: Sequence[tuple[str, ...]]) -> Catalogue:
    return Catalogue.of(Item(title, title, artist=artist or None, genre=genre or None) for title, artist, genre in songs)


def _in_range(column: pd.Series, most: float, what: str) -> list[float]:
    values = numbers(column.where(column.str.strip() != "", "0"))
    wrong = column[~values.between(0, most)]
    if len(wrong):
        raise UsageError(f"'{wrong.iloc[0]}' is no {what}", f"line {wrong.index[0] + 2}", f"Give a number from 0 to {most:g}")
    return [float(value) for value in values]


def _require_named(users: Sequence[str], file: str) -> None:
    for line, user in enumerate(users, 2):
        if not user.strip():
            raise UsageError(f"A listener in {file} has no name", f"line {line}", "Name everybody")


def _require_once(names: Sequence[object], what: str, file: str) -> None:
    seen: set[object] = set()
    for line, name in enumerate(names, 2):
        if name in seen:
            raise UsageError(f"{what} {name} stands twice in {file}", f"line {line}", "Keep one of them")
        seen.add(name)


def _notes(heard: Engagement) -> list[str]:
    nothing = [user for user, count in zip(heard.users, np.diff(heard.matrix.indptr), strict=True) if not count]
    return [f"{len(nothing)} without anything heard: {', '.join(nothing)}"] if nothing else []
