"""How two rankings differ: overlap of the first ten, rank-biased overlap, scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contract.features import TOP
from monitoring.compare import EXACT_COMPONENT, Pair

PERSISTENCE = 0.9
"""The p of rank-biased overlap: how likely a reader goes on to the next place (Webber, Moffat, Zobel 2010)."""


def rankings(pair: Pair) -> pd.DataFrame:
    """Return, by listener, ``overlap`` (share of the first ten in both), ``rbo`` and ``score_difference`` (the largest).

    Places that changed between scores of one ranking closer than 1e-9 are ties, and count as the same.
    """
    rows = [
        _difference(*row)
        for row in zip(*(t.column(c).to_pylist() for t in (pair.left, pair.right) for c in ("shows", "scores")), strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["overlap", "rbo", "score_difference"], dtype=np.float64)
    frame.insert(0, "user_id", pair.left.column("user_id").to_pylist())
    return frame


def _difference(
    shows: list[str] | None, scores: list[float] | None, other: list[str] | None, other_scores: list[float] | None
) -> tuple[float, float, float]:
    if not shows or not other or scores is None or other_scores is None:
        same = 1.0 if (shows or []) == (other or []) else 0.0
        return same, same, 0.0
    difference = max(abs(a - b) for a, b in zip(scores, other_scores, strict=False))
    if shows != other:
        shows, other = _untied(shows, scores, other, other_scores)
    return len(set(shows) & set(other)) / max(len(shows), len(other)), rank_biased_overlap(shows, other), difference


def _untied(shows: list[str], scores: list[float], other: list[str], other_scores: list[float]) -> tuple[list[str], list[str]]:
    """Return both rankings with their ties in the order of names, and ties at the edge of the first ten taken for the same."""
    a, b = _by_name(shows, scores), _by_name(other, other_scores)
    if len(a) == len(b) and abs(scores[-1] - other_scores[-1]) <= EXACT_COMPONENT:
        edge_a, edge_b = _edge(a, scores), _edge(b, other_scores)
        stand_ins = dict(zip((s for s in edge_b if s not in a), (s for s in edge_a if s not in b), strict=False))
        b = _by_name([stand_ins.get(show, show) for show in b], other_scores)
    return a, b


def _by_name(shows: list[str], scores: list[float]) -> list[str]:
    run = np.cumsum([0, *(abs(a - b) > EXACT_COMPONENT for a, b in zip(scores[1:], scores[:-1], strict=True))])
    return [show for _, show in sorted(zip(run.tolist(), shows, strict=True))]


def _edge(shows: list[str], scores: list[float]) -> list[str]:
    """Return the shows tied with the last one."""
    return [show for show, score in zip(shows, scores, strict=True) if score - scores[-1] <= EXACT_COMPONENT]


def rank_biased_overlap(a: list[str], b: list[str], p: float = PERSISTENCE) -> float:
    """Return RBO to the depth of the lists, scaled so that equal lists have 1."""
    depth = min(max(len(a), len(b)), TOP)
    weights = p ** np.arange(depth)
    agreement = [len(set(a[: d + 1]) & set(b[: d + 1])) / (d + 1) for d in range(depth)]
    return float(np.dot(weights, agreement) / weights.sum())
