"""The live path's scorer: the first ten shows for each listener, from the features of the moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contract.event import Names
from contract.features import TOP
from contract.preferences import Preferences
from contract.ranker import LEAF, LISTENER_COLUMNS, SHOW_COLUMNS, Linear, Ranker, Tree, Trees
from contract.rows import Column, FeatureColumns, Floats, MapColumn
from contract.versions import Version


def top_shows(version: Version, users: Names, columns: FeatureColumns) -> tuple[Names, Floats] | tuple[None, None]:
    """Score all shows for n listeners; return the best ``TOP`` and their scores, both of shape (n, min(TOP, shows)).

    Who has asked not to be known gets the shows by popularity, which is the score then. Equal scores stand in the order of the
    shows' names. There is nothing to return where the version has no ranker.
    """
    ranker = version.ranker
    if ranker is None:
        return None, None
    scores = score(ranker, version.catalogue.genres, columns, len(users))
    scores[impersonal(users, version.preferences)] = [show.popularity for show in ranker.shows]
    names = np.array([show.show for show in ranker.shows], object)
    by_name = np.argsort(names.astype(str), kind="stable")
    order = by_name[np.argsort(-scores[:, by_name], axis=1, kind="stable")][:, :TOP]
    return names[order], np.take_along_axis(scores, order, axis=1)


def score(ranker: Ranker, genres: tuple[str, ...], columns: FeatureColumns, n: int) -> Floats:
    """Return the model's score of each pair, shape (n, shows)."""
    shape = (n, len(ranker.shows))
    inputs = []
    for name, fill in zip(ranker.columns, ranker.fill, strict=True):
        values = _input(name, ranker, genres, columns, n)
        inputs.append(np.where(np.isnan(values), fill, values))
    model = ranker.model
    logit = _linear(model, inputs, shape) if isinstance(model, Linear) else _trees(model, inputs, shape)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def impersonal(users: Names, preferences: Preferences) -> NDArray[np.bool_]:
    """Tell of which listeners the past may not be used."""
    asked = {user for user, wish in preferences.items() if not wish.personal}
    return np.fromiter((user in asked for user in users), np.bool_, len(users))


def _linear(model: Linear, inputs: Sequence[Floats], shape: tuple[int, int]) -> Floats:
    total = np.full(shape, model.bias)
    for values, mean, scale, weight in zip(inputs, model.mean, model.scale, model.weights, strict=True):
        total += weight * ((values - mean) / scale)
    return total


def _trees(model: Trees, inputs: Sequence[Floats], shape: tuple[int, int]) -> Floats:
    pairs = np.stack([np.broadcast_to(values, shape).reshape(-1) for values in inputs])
    total = np.full(pairs.shape[1], model.prior)
    for tree in model.trees:
        total += model.learning_rate * _tree(tree, pairs)
    return total.reshape(shape)


def _tree(tree: Tree, pairs: Floats) -> Floats:
    """Return what a tree says of each pair, shape (pairs,); ``pairs`` is (columns, pairs). All go down a level at a time."""
    inner = np.array(tree.feature) != LEAF
    nodes, everyone = np.arange(len(inner)), np.arange(pairs.shape[1])
    left, right = (np.where(inner, children, nodes) for children in (tree.left, tree.right))  # a leaf leads to itself
    feature, threshold = np.where(inner, tree.feature, 0), np.array(tree.threshold)
    at = np.zeros(len(everyone), np.int64)
    while inner[at].any():
        at = np.where(pairs[feature[at], everyone] <= threshold[at], left[at], right[at])
    return np.asarray(np.array(tree.value)[at])


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
    at = maps.places([show.show for show in ranker.shows])
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
