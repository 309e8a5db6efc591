"""The models that compete to be the ranker: each is fitted on pairs, and kept as numbers.

They are listed from simple to complex; the comparison in ``batch.comparison`` prefers what comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from contract.event import Ints
from contract.ranker import LEAF, Linear, Model, Tree, Trees
from contract.rows import Floats

TREES, DEPTH, LEARNING_RATE, SMALLEST_LEAF = 60, 3, 0.1, 20
NEGATIVES = 10
"""So many unfinished pairs are kept for each finished one where trees are grown: the others cost time and tell little."""
NUDGE = 1e-8
"""How far a threshold is moved up, of its size or of 1. Thresholds lie midway between two values, where a third may lie: 0.5
between 0.25 and 0.75. Both paths may compute it with another last bit, and must not fall to different sides."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model: ``fill`` (columns,) for nulls, its numbers, and the logit of filled inputs (n, columns) as a function."""

    fill: Floats
    model: Model
    logit: Callable[[Floats], Floats]

    def predict(self, inputs: Floats) -> Floats:
        """Return the probability of finishing for inputs (..., columns) with NaN for null, shape (...)."""
        filled = np.where(np.isnan(inputs), self.fill, inputs)
        logit = self.logit(filled.reshape(-1, inputs.shape[-1])).reshape(inputs.shape[:-1])
        return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def fit_linear(inputs: Floats, finished: Ints) -> Fitted:
    """Fit a logistic regression, with a ridge of 1, on standardised inputs (n, columns); nulls are filled by the mean."""
    fill, filled = _filled(inputs)
    mean, spread = filled.mean(axis=0), filled.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    fitted = LogisticRegression(C=1.0, max_iter=500, tol=1e-6).fit((filled - mean) / scale, finished)
    model = Linear(_floats(mean), _floats(scale), _floats(fitted.coef_[0]), float(fitted.intercept_[0]))
    return Fitted(fill, model, lambda x: fitted.decision_function((x - mean) / scale))


def fit_boosted(inputs: Floats, finished: Ints) -> Fitted:
    """Fit gradient-boosted trees (Friedman 2001) on inputs (n, columns); nulls are filled by the mean.

    They grow on all finished pairs and a sample of the others; the logit is put right by the log of the share that was kept
    (King & Zeng 2001).
    """
    fill, filled = _filled(inputs)
    share = min(1.0, NEGATIVES * float(finished.mean()) / float(1 - finished.mean()))
    kept = (finished == 1) | (np.random.default_rng(0).random(len(finished)) < share)
    boosting = GradientBoostingClassifier(
        n_estimators=TREES, max_depth=DEPTH, learning_rate=LEARNING_RATE, min_samples_leaf=SMALLEST_LEAF, random_state=0
    )
    fitted = boosting.fit(filled[kept], finished[kept])
    positive = float(finished[kept].mean())
    prior = float(np.log(positive / (1 - positive)) + np.log(share))
    model = Trees(prior, LEARNING_RATE, tuple(_tree(one) for one in fitted.estimators_[:, 0]))
    return Fitted(fill, model, lambda x: fitted.decision_function(x) + np.log(share))


CANDIDATES: dict[str, Callable[[Floats, Ints], Fitted]] = {
    "logistic regression": fit_linear,
    "gradient boosting": fit_boosted,
}


def _filled(inputs: Floats) -> tuple[Floats, Floats]:
    """Return the mean of each column, 0 where it has no value at all, and the inputs with it in place of nulls."""
    known = ~np.isnan(inputs)
    count = known.sum(axis=0)
    fill = np.divide(np.where(known, inputs, 0.0).sum(axis=0), count, out=np.zeros(inputs.shape[1]), where=count > 0)
    return fill, np.where(known, inputs, fill)


def _tree(fitted: DecisionTreeRegressor) -> Tree:
    nodes = fitted.tree_
    leaf = nodes.children_left < 0
    threshold = nodes.threshold + NUDGE * np.maximum(1.0, np.abs(nodes.threshold))
    return Tree(
        feature=tuple(np.where(leaf, LEAF, nodes.feature).tolist()),
        threshold=_floats(np.where(leaf, 0.0, threshold)),
        left=tuple(np.where(leaf, 0, nodes.children_left).tolist()),
        right=tuple(np.where(leaf, 0, nodes.children_right).tolist()),
        value=_floats(np.where(leaf, nodes.value[:, 0, 0], 0.0)),
    )


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
