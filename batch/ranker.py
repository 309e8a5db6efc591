"""Training the ranker "shows you might like": logistic regression, kept as numbers."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from batch.training import TrainingSet
from contract.catalogue import Catalogue
from contract.ranker import COLUMNS, Ranker, Show
from contract.rows import Floats
from contract.windows import MINUTE_MS


def show_facts(rows: pa.Table, catalogue: Catalogue) -> tuple[Show, ...]:
    """Return what the night knows of each show: the share of listeners who heard it, their mean completion, its mean length."""
    listeners: dict[str, int] = defaultdict(int)
    completions: dict[str, list[float]] = defaultdict(list)
    for heard, completion in zip(
        rows.column("show_listens_28d").to_pylist(), rows.column("show_completion_28d").to_pylist(), strict=True
    ):
        for show, _ in heard:
            listeners[show] += 1
        for show, value in completion:
            completions[show].append(value)
    lengths, genres = _by_show(catalogue)
    return tuple(
        Show(
            show=show,
            genre=genres[show],
            popularity=listeners[show] / max(len(rows), 1),
            completion=float(np.mean(completions[show])) if completions[show] else 0.0,
            minutes=float(np.mean(lengths[show])) / MINUTE_MS if lengths[show] else 0.0,
        )
        for show in catalogue.shows
    )


def _by_show(catalogue: Catalogue) -> tuple[dict[str, list[int]], dict[str, str | None]]:
    lengths: dict[str, list[int]] = defaultdict(list)
    genres: dict[str, str | None] = {}
    for item in catalogue.items.values():
        if item.show is not None:
            genres.setdefault(item.show, item.show_genre)
            if item.duration_ms is not None:
                lengths[item.show].append(item.duration_ms)
    return lengths, genres


def train(pairs: TrainingSet, shows: tuple[Show, ...], as_of_ms: int) -> Ranker | None:
    """Fit the model on all midnights but the last, measure it on the last, and fit it again on all.

    None where there is nothing to learn: fewer than two outcomes.
    """
    if len(np.unique(pairs.finished)) < 2:
        return None
    held_out = pairs.midnight_ms == pairs.midnight_ms.max()
    metrics = _measure(pairs, held_out)
    fill, mean, scale, model = _fit(pairs.inputs, pairs.finished)
    return Ranker(
        columns=COLUMNS,
        fill=_floats(fill),
        mean=_floats(mean),
        scale=_floats(scale),
        weights=_floats(model.coef_[0]),
        bias=float(model.intercept_[0]),
        shows=shows,
        trained_as_of_ms=as_of_ms,
        rows=len(pairs.finished),
        libraries={"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        metrics=metrics,
    )


def _fit(inputs: Floats, finished: np.ndarray) -> tuple[Floats, Floats, Floats, LogisticRegression]:
    known = ~np.isnan(inputs)
    count = known.sum(axis=0)
    fill = np.divide(np.where(known, inputs, 0.0).sum(axis=0), count, out=np.zeros(inputs.shape[1]), where=count > 0)
    filled = np.where(known, inputs, fill)
    mean, spread = filled.mean(axis=0), filled.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1.0, max_iter=500, tol=1e-6).fit((filled - mean) / scale, finished)
    return fill, mean, scale, model


def _measure(pairs: TrainingSet, held_out: np.ndarray) -> dict[str, float]:
    """Return log loss and AUC on the held-out midnight, beside those of the shows' popularity alone."""
    learned, asked = pairs.finished[~held_out], pairs.finished[held_out]
    if len(np.unique(learned)) < 2 or len(np.unique(asked)) < 2:
        return {}
    fill, mean, scale, model = _fit(pairs.inputs[~held_out], learned)
    inputs = pairs.inputs[held_out]
    score = model.predict_proba((np.where(np.isnan(inputs), fill, inputs) - mean) / scale)[:, 1]
    popularity = inputs[:, COLUMNS.index("popularity")]
    return {
        "log_loss": float(log_loss(asked, score)),
        "auc": float(roc_auc_score(asked, score)),
        "auc_popularity": float(roc_auc_score(asked, popularity)),
    }


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
