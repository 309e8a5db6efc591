"""What a night trains once a week, and carries on in between: the item vectors and the ranker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from batch.candidates import CANDIDATES
from batch.card import Trained, model_card, untrained_card
from batch.comparison import compare
from batch.listens import Job
from batch.ranker import show_facts, train
from batch.training import MIDNIGHTS, kept_sample, sampled, training_set
from contract.lake import Lake
from contract.preferences import Preferences
from contract.ranker import Ranker
from contract.versions import Version
from contract.windows import DAY_MS, iso_date

RETRAIN_DAYS = 7
NOBODY = "nobody listened before the last day"


@dataclass(frozen=True)
class Choice:
    """The ranker that a night publishes, None where there is none at all, and the model card that tells why.

    ``sample`` are rows of ``TRAINING_SCHEMA`` that candidates were trained on, of the midnights that the lake has a cut of; None
    where there was nothing to train on.
    """

    ranker: Ranker | None
    card: str
    sample: pa.Table | None = None


def due(active: Version, as_of_ms: int) -> bool:
    """Tell whether a night trains new vectors and a new ranker: those of the active version are a week old, or none."""
    trained = active.manifest.vectors_as_of_ms
    return trained is None or as_of_ms >= trained + RETRAIN_DAYS * DAY_MS


def choose_ranker(
    job: Job,
    active: Version,
    rows: pa.Table,
    as_of_ms: int,
    cuts: dict[int, int],
    wishes: Preferences,
    candidates: Collection[str] = tuple(CANDIDATES),
) -> Choice:
    """Train candidates on the midnights before a night and choose; the active version's ranker stays where none is good enough.

    Nothing is learned from listeners who want privacy first.
    """
    heard = _open(rows, wishes)
    shows = show_facts(heard, active.catalogue)
    if not shows or not len(heard):
        return _untrained(active, as_of_ms, "nobody listened" if shows else "the catalogue has no show")
    midnights = [as_of_ms - days * DAY_MS for days in range(MIDNIGHTS, 0, -1)]
    if not job.lake.event_files(to_date=iso_date(midnights[-1] - 1)):  # told without asking Spark
        return _untrained(active, as_of_ms, NOBODY)
    trainable = training_set(job, active, training_spine(sampled(heard), job.lake, cuts, midnights), shows)
    pairs = trainable.pairs
    if not len(pairs):
        return _untrained(active, as_of_ms, NOBODY)
    comparison = compare(pairs, candidates)
    ranker = train(pairs, comparison, shows, as_of_ms)
    card = model_card(Trained(as_of_ms, pairs, comparison, shows, ranker, active.ranker))
    return Choice(ranker or active.ranker, card, kept_sample(trainable.rows, job.lake.nights()))


def _untrained(active: Version, as_of_ms: int, why: str) -> Choice:
    return Choice(active.ranker, untrained_card(as_of_ms, why, active.ranker))


def _open(rows: pa.Table, wishes: Preferences) -> pa.Table:
    """Leave out whose listening nobody else may profit from."""
    private = pa.array([user for user, wish in wishes.items() if wish.privacy_first], pa.string())
    return rows.filter(pc.invert(pc.is_in(rows.column("user_id"), private)))


def training_spine(rows: pa.Table, lake: Lake, cuts: dict[int, int], midnights: Sequence[int]) -> pa.Table:
    """Return the requests to train on: every listener of the night at each midnight, cut where that night was cut.

    Midnights before the first watermark are history: all of it counts.
    """
    reached = set(lake.nights())
    part = rows.column("partition").to_pylist()
    tables = []
    for midnight in midnights:
        at = lake.cut(midnight) if midnight in reached else cuts
        tables.append(
            pa.table(
                {
                    "user_id": rows.column("user_id"),
                    "as_of_ms": pa.array([midnight] * len(rows), pa.int64()),
                    "cut": pa.array([at[p] for p in part], pa.int64()),
                    "cut_after": pa.array([cuts[p] for p in part], pa.int64()),
                }
            )
        )
    return pa.concat_tables(tables)
