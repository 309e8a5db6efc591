"""The live path's scorer: the first ten shows for each listener, from the features of the moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import Names
from contract.features import TOP
from contract.ranker import LISTENER_COLUMNS, SHOW_COLUMNS, Ranker
from contract.rows import Column, FeatureColumns, Floats, MapColumn


def top_shows(ranker: Ranker, genres: tuple[str, ...], columns: FeatureColumns, n: int) -> tuple[Names, Floats]:
    """Score all shows for n listeners; return the best ``TOP`` and their scores, both of shape (n, min(TOP, shows)).

    Equal scores stand in the order of their ids.
    """
    scores = score(ranker, genres, columns, n)
    names = np.array([show.show for show in ranker.shows], object)
    by_name = np.argsort(names.astype(str), kind="stable")
    order = by_name[np.argsort(-scores[:, by_name], axis=1, kind="stable")][:, :TOP]
    return names[order], np.take_along_axis(scores, order, axis=1)


def score(ranker: Ranker, genres: tuple[str, ...], columns: FeatureColumns, n: int) -> Floats:
    """Return the model's score of each pair, shape (n, shows)."""
    total = np.full((n, len(ranker.shows)), ranker.bias)
    for name, fill, mean, scale, weight in zip(
        ranker.columns, ranker.fill, ranker.mean, ranker.scale, ranker.weights, strict=True
    ):
        values = _input(name, ranker, genres, columns, n)
        total += weight * ((np.where(np.isnan(values), fill, values) - mean) / scale)
    return np.asarray(1.0 / (1.0 + np.exp(-total)))


def _input(name: str, ranker: Ranker, genres: tuple[str, ...], columns: FeatureColumns, n: int) -> Floats:
    """Return one column of the model's input, of a shape that broadcasts to (n, shows); NaN for null."""
    if name in LISTENER_COLUMNS:
        return np.asarray(columns[name], np.float64)[:, None]
    if name in SHOW_COLUMNS:
        return np.array([[getattr(show, name) for show in ranker.shows]], np.float64)
    if name == "genre_affinity":
        return _at_genre(columns[name], ranker, genres)
    return _at_show(columns[name], ranker, n, absent=0.0 if name == "show_listens_28d" else np.nan)


def _at_show(maps: Column, ranker: Ranker, n: int, *, absent: float) -> Floats:
    assert isinstance(maps, MapColumn)
    place = {show.show: i for i, show in enumerate(ranker.shows)}
    at = np.array([place.get(key, -1) for key in maps.keys], np.int64)
    found = np.full((n, len(ranker.shows)), absent)
    known = at >= 0
    found[maps.rows()[known], at[known]] = maps.values[known]
    return found


def _at_genre(affinity: Column, ranker: Ranker, genres: tuple[str, ...]) -> Floats:
    assert isinstance(affinity, np.ndarray)
    place = {genre: i for i, genre in enumerate(genres)}
    at = np.array([place.get(show.genre or "", -1) for show in ranker.shows], np.int64)
    padded: NDArray[np.float64] = np.concatenate([affinity, np.zeros((len(affinity), 1))], axis=1)
    return padded[:, at]  # -1, a show of no known genre, takes the column of zeros
