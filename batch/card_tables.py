"""The tables of a model card: how the candidates did on the held-out midnight, seen from four sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from batch.comparison import Comparison, Measured
from batch.metrics.beyond import TIERS, coverage, diversity, exposure, gini, novelty, popularity_bias, tiers
from batch.metrics.ranking import order
from contract.event import Ints
from contract.features import TOP
from contract.ranker import COLUMNS, Show
from contract.rows import Floats

METRICS = {
    "ndcg": "NDCG@10",
    "map": "MAP@10",
    "recall": "recall@10",
    "mrr": "MRR",
    "auc": "AUC",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
}
ACTIVITY = ("the third with the fewest plays", "the middle third", "the third with the most plays")


def compared(comparison: Comparison) -> str:
    """Return the metrics of popularity and the candidates, and the steps of the ladder."""
    rows = [(one.name, *(number(one.metrics.get(name)) for name in METRICS)) for one in comparison.measured]
    steps = [
        (f"{r.name} over {r.against}", f"{r.difference:+.4f}", f"{r.error:.4f}", "taken" if r.taken else "not taken")
        for r in comparison.rungs
    ]
    rule = (
        "From simple to complex, a step is taken where the mean NDCG@10 rises by more than one standard error of the\n"
        "difference, listener by listener, and AUC does not fall (the one-standard-error rule, Breiman et al. 1984)."
    )
    means = "NDCG, MAP, recall and MRR are means over the listeners with a positive pair, the others are over all pairs."
    metrics, ladder = table(("candidate", *METRICS.values()), rows), table(("step", "NDCG@10", "standard error", ""), steps)
    return f"## Comparison\n\n{metrics}\n\n{means}\n\n{rule}\n\n{ladder}"


def calibration(comparison: Comparison) -> str:
    """Return what was predicted and what happened, by tenths, of what was chosen, or of the first candidate."""
    of = _shown(comparison)
    bins = of.reliability
    assert bins is not None  # the popularity alone has none, and it is never shown
    rows = [
        (str(i + 1), f"{count:,}", f"{predicted:.4f}", f"{happened:.4f}")
        for i, (count, predicted, happened) in enumerate(zip(bins.count, bins.predicted, bins.happened, strict=True))
    ]
    tenths = table(("tenth", "pairs", "predicted", "finished"), rows)
    return f"## Calibration\n\nThe held-out pairs in tenths of rising probability, by the {of.name}.\n\n{tenths}"


def _shown(comparison: Comparison) -> Measured:
    """Return what was chosen, or the first candidate where nothing was."""
    return next(one for one in comparison.measured[1:] if comparison.chosen in {one.name, None})


def by_activity(comparison: Comparison) -> str:
    """Return NDCG@10 by how much a listener plays."""
    held_out, measured = comparison.held_out, comparison.measured
    third = _thirds(held_out.inputs[:, 0, COLUMNS.index("plays_7d")])
    judges = held_out.finished.any(axis=1)
    rows = []
    for i, name in enumerate(ACTIVITY):
        of = judges & (third == i)
        means = (f"{one.ndcg[of].mean():.4f}" if of.any() else "-" for one in measured)
        rows.append((name, f"{int(of.sum()):,}", *means))
    thirds = table(("listeners, by plays in 7 days", "with a positive pair", *(one.name for one in measured)), rows)
    return f"## NDCG@10 by activity\n\n{thirds}"


def _thirds(values: Floats) -> Ints:
    """Return the third, 0 to 2, of each value, by rank; ties in their order."""
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return rank * 3 // len(values)


def beyond_accuracy(comparison: Comparison, shows: Sequence[Show]) -> str:
    """Return coverage, novelty, diversity, inequality and popularity bias of the first ten shows."""
    popularity = np.array([show.popularity for show in shows])
    genre = np.array([show.genre or f"the genre of {show.show}" for show in shows])
    similarity, tier = (genre[:, None] == genre).astype(np.float64), tiers(popularity)
    rows = []
    for one in comparison.measured:
        ranked = order(one.scores)[:, :TOP]
        found = [
            coverage(ranked, len(popularity)),
            float(novelty(ranked, popularity, len(comparison.held_out)).mean()),
            float(diversity(ranked, similarity).mean()),
            gini(exposure(ranked, len(popularity))),
        ]
        bias = popularity_bias(ranked, popularity, tier).tolist()
        rows.append((one.name, *map(number, found), *(f"{value:+.4f}" for value in bias)))
    heads = ("candidate", "coverage", "novelty", "diversity", "Gini", *(f"bias, {name}" for name in TIERS))
    told = (
        "Of the first ten shows: the share of the catalogue that anybody is shown; bits of self-information; the share of\n"
        "pairs of different genres; how unequal the shows' places are; and, by tier of popularity, the share of places less\n"
        "the share of listeners."
    )
    return f"## Beyond accuracy\n\n{table(heads, rows)}\n\n{told}"


def number(value: float | None) -> str:
    """Write a number with four decimals, a dash where there is none."""
    return "-" if value is None or np.isnan(value) else f"{value:.4f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))
