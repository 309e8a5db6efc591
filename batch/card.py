"""The model card of a night that trained: what the ranker is for, how it was compared, what was decided and why.

After Mitchell et al. 2019, "Model Cards for Model Reporting". Markdown, the same for the same night: it names no clock's time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from batch.card_tables import beyond_accuracy, by_activity, calibration, compared, table
from batch.comparison import Comparison
from batch.training import MOST_REQUESTS, TrainingSet
from contract.ranker import Linear, Ranker, Show
from contract.windows import iso_date


@dataclass(frozen=True)
class Trained:
    """A night's training: its instant, the pairs and shows, the comparison, the new ranker if any, and the one before if any."""

    as_of_ms: int
    pairs: TrainingSet
    comparison: Comparison
    shows: tuple[Show, ...]
    ranker: Ranker | None
    before: Ranker | None


def model_card(trained: Trained) -> str:
    """Return the card of a night that had something to train on."""
    comparison = trained.comparison
    parts = [_PURPOSE, _data(trained)]
    if comparison.measured:
        parts += [compared(comparison), calibration(comparison), by_activity(comparison)]
        parts += [beyond_accuracy(comparison, trained.shows)]
    parts += [_LIMITS]
    artefact = trained.ranker or trained.before
    return _card(trained.as_of_ms, _decision(trained), [*parts, *([_artefact(artefact)] if artefact else [])])


def untrained_card(as_of_ms: int, why: str, before: Ranker | None) -> str:
    """Return the card of a night that had nothing to train on."""
    decision = f"No ranker was trained: {why}. {_kept(before)}"
    return _card(as_of_ms, decision, [_PURPOSE, *([_artefact(before)] if before else [])])


_PURPOSE = """## Purpose

The ranker puts the shows of the catalogue into an order for each listener: "shows you might like". Its score is the probability
that the listener hears at least half of an episode of the show within the next day.

It is not made to say how good a show is, to judge or to compare listeners, or to decide anything but the order of shows.
Listeners who switched personalisation off or asked for privacy first get the shows by popularity; the model is not asked about
them."""

_LIMITS = """## Limits

- A pair is positive because of what a listener did unasked; nobody was shown anything. What is never heard is never learned.
- One midnight judges. Another day of the week, or a holiday, may judge otherwise.
- A show's popularity, completion and length are those of the night itself, for all midnights; so the popularity that the
  candidates must beat has seen a little of the day that it is asked about.
- Listeners who asked for privacy first are not in the data, nor is who heard nothing in the 28 days before a midnight.
- A step that is taken by one standard error is taken by chance about once in six times where there is no difference."""


def _card(as_of_ms: int, decision: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"# The ranker of {iso_date(as_of_ms)}", f"**Decision.** {decision}", *parts]) + "\n"


def _decision(trained: Trained) -> str:
    comparison = trained.comparison
    if comparison.chosen is None:
        return f"No new ranker is published: {comparison.why}. {_kept(trained.before)}"
    return f"The {comparison.chosen} is published, fitted again on all midnights: {comparison.why}."


def _kept(before: Ranker | None) -> str:
    if before is None:
        return "There is none from before either, so nothing is ranked."
    return f"The ranker of {iso_date(before.trained_as_of_ms)} stays in use."


def _data(trained: Trained) -> str:
    pairs, held_out = trained.pairs, trained.comparison.held_out
    midnights = [iso_date(at) for at in np.unique(pairs.midnight_ms).tolist()]
    most = f"(at most {MOST_REQUESTS:,} requests, by a fixed draw of listeners)"
    rows = [
        ("midnights", f"{len(midnights)}, {midnights[0]} to {midnights[-1]}"),
        ("requests: a listener at a midnight", f"{len(pairs):,} of {len(np.unique(pairs.listener)):,} listeners {most}"),
        ("pairs: a request and a show", f"{pairs.finished.size:,}"),
        ("positive", f"{int(pairs.finished.sum()):,}, {pairs.finished.mean():.2%}"),
        ("held out to compare", f"{midnights[-1]}: {len(held_out):,} requests, {_judges(held_out):,} with a positive pair"),
    ]
    split = "Candidates are fitted on the earlier midnights and compared on the last."
    return f"## Data and split\n\n{table(('', ''), rows)}\n\n{split}"


def _judges(held_out: TrainingSet) -> int:
    return int(held_out.finished.any(axis=1).sum())


def _artefact(ranker: Ranker) -> str:
    model = ranker.model
    kind = "a linear model" if isinstance(model, Linear) else f"{len(model.trees)} trees"
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(ranker.libraries.items()))
    rows = [
        ("trained as of", iso_date(ranker.trained_as_of_ms)),
        ("model", f"{kind}, of {ranker.rows:,} pairs and {len(ranker.shows):,} shows"),
        ("columns, in this order", ", ".join(f"`{name}`" for name in ranker.columns)),
        ("SHA-256", f"`{ranker.digest}`"),
        ("libraries", libraries or "-"),
    ]
    return f"## Artefact\n\n{table(('', ''), rows)}"
