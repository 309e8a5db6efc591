"""How two rankings differ: overlap of the first ten, rank-biased overlap, scores. All listeners at once, in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from contract.features import TOP
from monitoring.compare import EXACT_COMPONENT, Codes, Floats, Mask, Pair, joint_codes, lengths_of

PERSISTENCE = 0.9
"""The p of rank-biased overlap: how likely a reader goes on to the next place (Webber, Moffat, Zobel 2010)."""
TEXT = pd.ArrowDtype(pa.string())
"""Names of listeners stay in Arrow's memory: a million Python strings would be most of a frame."""
_AT_ONCE = 1 << 16
"""So many rankings are compared place by place at a time: each takes some hundred bytes meanwhile."""
_NONE = -1
"""The code of a place behind the end of a ranking."""


def rankings(pair: Pair) -> pd.DataFrame:
    """Return, by listener, ``overlap`` (share of the first ten in both), ``rbo`` and ``score_difference`` (the largest).

    Places that changed between scores of one ranking closer than 1e-9 are ties, and count as the same. A score that is no finite
    number is infinitely far from any other one.
    """
    users = pd.Series(pair.left.column("user_id").to_pandas(types_mapper={pa.string(): TEXT}.get), name="user_id")
    shows = tuple(table.column("shows").combine_chunks() for table in (pair.left, pair.right))
    ranked = [lengths_of(column.fill_null([])) > 0 for column in shows]
    same = (ranked[0] == ranked[1]).astype(np.float64)  # none against none is the same, none against one is not
    found = {"overlap": same, "rbo": same.copy(), "score_difference": np.zeros(len(pair))}
    both = np.flatnonzero(ranked[0] & ranked[1])
    for start in range(0, len(both), _AT_ONCE):
        rows = both[start : start + _AT_ONCE]
        for name, values in zip(found, _differences(pair, rows), strict=True):
            found[name][rows] = values
    return pd.DataFrame({"user_id": users, **found})


@dataclass(frozen=True)
class Ranked:
    """n rankings side by side: codes of shows and their scores, shape (n, width), and how long each is."""

    shows: Codes
    scores: Floats
    lengths: NDArray[np.int64]

    @property
    def there(self) -> Mask:
        """Which places a ranking has."""
        return np.arange(self.shows.shape[1]) < self.lengths[:, None]

    @property
    def last(self) -> Floats:
        """The score of each ranking's last show, shape (n, 1)."""
        return np.take_along_axis(self.scores, self.lengths[:, None] - 1, axis=1)

    def take(self, rows: Mask) -> Ranked:
        """Return some of the rankings."""
        return Ranked(self.shows[rows], self.scores[rows], self.lengths[rows])

    def by_name(self) -> Ranked:
        """Return them with their ties in the order of names, which is that of the codes."""
        with np.errstate(invalid="ignore"):
            apart = ~(np.abs(np.diff(self.scores, axis=1)) <= EXACT_COMPONENT)
        run = np.concatenate([np.zeros((len(apart), 1), np.int64), np.cumsum(apart, axis=1)], axis=1)
        behind = int(self.shows.max(initial=0)) + 1
        order = np.argsort(run * (behind + 1) + np.where(self.there, self.shows, behind), axis=1, kind="stable")
        return Ranked(np.take_along_axis(self.shows, order, axis=1), self.scores, self.lengths)


def _differences(pair: Pair, rows: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Compare the rankings of some rows, of which both paths have one."""
    left, right = _side_by_side(pair, rows)
    width = min(left.shows.shape[1], right.shows.shape[1])
    compared = (left.there & right.there)[:, :width]
    a, b = left.scores[:, :width], right.scores[:, :width]
    with np.errstate(invalid="ignore"):
        apart = np.where(a == b, 0.0, np.abs(a - b))
    score = np.where(compared, np.nan_to_num(apart, nan=np.inf, posinf=np.inf), 0.0).max(axis=1, initial=0.0)
    overlap, rbo = np.ones(len(rows)), np.ones(len(rows))
    other = (left.shows != right.shows).any(axis=1)
    if other.any():
        x, y = _untied(left.take(other), right.take(other))
        found = (_same(x, y).any(axis=1) & y.there).sum(axis=1)
        overlap[other] = found / np.maximum(x.lengths, y.lengths)
        rbo[other] = _rbo(x, y)
    return overlap, rbo, score


def _side_by_side(pair: Pair, rows: NDArray[np.int64]) -> tuple[Ranked, Ranked]:
    where = pa.array(rows)
    sides = [tuple(t.column(c).combine_chunks().take(where) for c in ("shows", "scores")) for t in (pair.left, pair.right)]
    codes = joint_codes(*(shows.flatten() for shows, _ in sides))
    width = max(int(lengths_of(shows).max(initial=1)) for shows, _ in sides)
    left, right = (_ranked(one, shows, scores, width) for one, (shows, scores) in zip(codes, sides, strict=True))
    return left, right


def _ranked(codes: Codes, shows: pa.ListArray, scores: pa.ListArray, width: int) -> Ranked:
    lengths = lengths_of(shows)
    there = np.arange(width) < lengths[:, None]
    names, values = np.full(there.shape, _NONE, np.int64), np.full(there.shape, np.nan)
    names[there] = codes
    scored = lengths_of(scores.fill_null([]))
    values[np.arange(width) < np.minimum(scored, width)[:, None]] = scores.flatten().to_numpy(zero_copy_only=False)
    return Ranked(names, values, lengths)


def _untied(left: Ranked, right: Ranked) -> tuple[Ranked, Ranked]:
    """Return both with their ties in the order of names, and ties at the edge of the first ten taken for the same."""
    a, b = left.by_name(), right.by_name()
    with np.errstate(invalid="ignore"):
        edges = [one.there & (one.scores - one.last <= EXACT_COMPONENT) for one in (a, b)]
        tied = (a.lengths == b.lengths) & (np.abs(a.last - b.last) <= EXACT_COMPONENT)[:, 0]
    same = _same(a, b)
    leaving = edges[1] & ~same.any(axis=1) & tied[:, None]  # the k-th of these is taken for the k-th of the others
    standing_in = edges[0] & ~same.any(axis=2) & tied[:, None]
    by_turn = np.take_along_axis(a.shows, np.argsort(~standing_in, axis=1, kind="stable"), axis=1)
    turn = np.cumsum(leaving, axis=1) - 1
    exchanged = leaving & (turn < standing_in.sum(axis=1, keepdims=True))
    shows = np.where(exchanged, np.take_along_axis(by_turn, np.maximum(turn, 0), axis=1), b.shows)
    return a, Ranked(shows, b.scores, b.lengths).by_name()


def _same(a: Ranked, b: Ranked) -> NDArray[np.bool_]:
    """Tell for each place of ``a`` and each of ``b`` whether the same show stands there, shape (n, places of a, places of b)."""
    there = a.there[:, :, None] & b.there[:, None, :]
    return np.asarray((a.shows[:, :, None] == b.shows[:, None, :]) & there)


def _rbo(a: Ranked, b: Ranked) -> Floats:
    """Return rank-biased overlap to the depth of the lists, scaled so that equal lists have 1."""
    same = _same(a, b)
    depth = np.minimum(np.maximum(a.lengths, b.lengths), TOP)
    deepest = int(depth.max(initial=0))
    common = [same[:, : d + 1, : d + 1].any(axis=1).sum(axis=1) for d in range(deepest)]
    agreed = np.stack(common, axis=1) / np.arange(1, deepest + 1) if common else np.ones((len(depth), 0))
    weights = PERSISTENCE ** np.arange(deepest) * (np.arange(deepest) < depth[:, None])
    lost = (weights * (1 - agreed)).sum(axis=1)  # what is missing to 1, so that equal rankings have exactly that
    return np.asarray(1 - lost / np.maximum(weights.sum(axis=1), 1.0))
