"""The ranker "shows you might like": what is known of each show, and the model that a comparison has chosen."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import sklearn

from batch.candidates import CANDIDATES
from batch.comparison import Comparison
from batch.training import TrainingSet
from contract.catalogue import Catalogue
from contract.ranker import COLUMNS, Ranker, Show
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


def train(pairs: TrainingSet, comparison: Comparison, shows: tuple[Show, ...], as_of_ms: int) -> Ranker | None:
    """Fit what a comparison has chosen again, on all midnights; None where it chose nothing."""
    if comparison.chosen is None:
        return None
    inputs, finished = pairs.inputs.reshape(-1, len(COLUMNS)), pairs.finished.reshape(-1)
    fitted = CANDIDATES[comparison.chosen](inputs, finished)
    return Ranker(
        columns=COLUMNS,
        fill=tuple(fitted.fill.tolist()),
        model=fitted.model,
        shows=shows,
        trained_as_of_ms=as_of_ms,
        rows=len(finished),
        libraries={"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        metrics=comparison.metrics,
    )
