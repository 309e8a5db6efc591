"""The honest comparison: candidates against popularity, on the one midnight that none of them has seen.

Popularity, logistic regression and boosted trees are steps of a ladder, from simple to complex. A step is taken where the mean
NDCG@10 rises by more than one standard error of the difference, listener by listener (the one-standard-error rule of Breiman et
al. 1984), and AUC over all pairs does not fall: with few listeners the standard error is chance itself. Where not even the first
step can be taken there is nothing to publish.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from batch.candidates import CANDIDATES
from batch.metrics.prediction import Reliability, reliability
from batch.metrics.ranking import average_precision, ndcg, order, recall, reciprocal_rank
from batch.training import TrainingSet
from contract.ranker import COLUMNS
from contract.rows import Floats

POPULARITY = "popularity"


@dataclass(frozen=True)
class Measured:
    """One way to rank the held-out midnight's n requests: its metrics, NDCG@10 (n,), scores (n, shows), and how calibrated."""

    name: str
    metrics: dict[str, float]
    ndcg: Floats
    scores: Floats
    reliability: Reliability | None = None


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: how much better ``name`` is than ``against`` in NDCG@10, the standard error, whether it is taken."""

    name: str
    against: str
    difference: float
    error: float
    taken: bool


@dataclass(frozen=True)
class Comparison:
    """What was held out, how all did, and what was ``chosen``: None where nothing beat popularity, or nothing could be said."""

    held_out: TrainingSet
    measured: Sequence[Measured] = ()
    rungs: Sequence[Rung] = ()
    chosen: str | None = None
    why: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


def compare(pairs: TrainingSet, candidates: Collection[str] = tuple(CANDIDATES)) -> Comparison:
    """Fit the candidates on all midnights but the last and compare them on the last; ``pairs`` has at least one request."""
    last = pairs.midnight_ms == pairs.midnight_ms.max()
    learned, asked = pairs.of(~last), pairs.of(last)
    if any(len(np.unique(part.finished)) < 2 for part in (learned, asked)):
        where = "the earlier midnights" if len(np.unique(learned.finished)) < 2 else "the last midnight"
        return Comparison(asked, why=f"of {where} nobody finished an episode, or everybody every one")
    columns = pairs.inputs.shape[2]
    measured = [_measured(POPULARITY, asked, asked.inputs[:, :, COLUMNS.index("popularity")])]
    for name in (name for name in CANDIDATES if name in candidates):
        fitted = CANDIDATES[name](learned.inputs.reshape(-1, columns), learned.finished.reshape(-1))
        measured.append(_measured(name, asked, fitted.predict(asked.inputs), probable=True))
    return _decided(asked, measured)


def _decided(asked: TrainingSet, measured: list[Measured]) -> Comparison:
    best, rungs = measured[0], []
    for candidate in measured[1:]:
        rungs.append(_rung(candidate, best))
        best = candidate if rungs[-1].taken else best
    beaten = best is not measured[0]
    baseline = {f"{name}_{POPULARITY}": value for name, value in measured[0].metrics.items()}
    return Comparison(
        asked,
        measured,
        rungs,
        chosen=best.name if beaten else None,
        why="it is the last step that was worth taking" if beaten else "no candidate beats popularity by more than chance",
        metrics={**best.metrics, **baseline},
    )


def _rung(candidate: Measured, best: Measured) -> Rung:
    difference = (candidate.ndcg - best.ndcg)[~np.isnan(best.ndcg)]
    mean, n = float(difference.mean()), len(difference)
    error = float(difference.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf")
    taken = mean > error and candidate.metrics["auc"] >= best.metrics["auc"]
    return Rung(candidate.name, best.name, mean, error, taken)


def _measured(name: str, asked: TrainingSet, scores: Floats, *, probable: bool = False) -> Measured:
    relevance, ranked = asked.finished.astype(np.float64), order(scores)
    values = ndcg(relevance, ranked)
    metrics = {
        "ndcg": float(np.nanmean(values)),
        "map": float(np.nanmean(average_precision(relevance, ranked))),
        "recall": float(np.nanmean(recall(relevance, ranked))),
        "mrr": float(np.nanmean(reciprocal_rank(relevance, ranked))),
        "auc": float(roc_auc_score(asked.finished.reshape(-1), scores.reshape(-1))),
    }
    if not probable:  # popularity orders pairs, and says nothing of how probable they are
        return Measured(name, metrics, values, scores)
    happened, predicted = asked.finished.reshape(-1), scores.reshape(-1)
    bins = reliability(predicted, happened)
    metrics |= {"log_loss": float(log_loss(happened, predicted)), "calibration_error": bins.error}
    return Measured(name, metrics, values, scores, bins)
