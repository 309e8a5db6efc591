"""One night: from the lake up to its cut to one published version.

1. everybody's rows as of midnight, with the version active at the cut;
2. engagement, neighbours, recommendations, taste clusters;
3. once a week new item vectors and a new ranker, else those of the version before;
4. all of it into a draft; then the draft gets its name. A night that dies leaves nothing that is read.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch.asked import night_asked
from batch.candidates import CANDIDATES
from batch.engagement import engagement
from batch.faults import reading
from batch.listens import Job
from batch.people import write_people
from batch.popular import write_popular
from batch.recommending.crowd import shared_by
from batch.rows import rows_of
from batch.vectors import item_vectors
from batch.weekly import choose_ranker, due
from contract.errors import InfrastructureError
from contract.home import Home
from contract.lake import Lake
from contract.preferences import read_preferences, write_preferences
from contract.ranker import Ranker
from contract.versions import INITIAL, PREFERENCES, TRAINING, ItemVectors, Manifest, Version, Versions
from contract.windows import iso, iso_date

CARD = "model_card.md"


def run_night(job: Job, home: Home, as_of_ms: int, seed: int = 0, candidates: Collection[str] = tuple(CANDIDATES)) -> Version:
    """Compute and publish the version of a night; running it again gives the same. ``candidates`` compete to be the ranker.

    Raises:
        CannotJudge: the lake is empty or has not reached the midnight.
        InfrastructureError: the partitions do not agree on the active version.
    """
    cuts = job.lake.cut(as_of_ms)
    versions = Versions(home.versions)
    active = versions.get(active_version(job.lake, cuts, as_of_ms))
    wishes = read_preferences(home.preferences)
    retrain = due(active, as_of_ms)
    with reading(job.lake, as_of_ms):
        with night_asked(job, as_of_ms, cuts, people=True) as night:
            rows, heard = rows_of(job, night.partials, active), engagement(night)  # 1
        vectors = (
            item_vectors(job.spark, shared_by(heard, wishes).known(active.catalogue), seed) if retrain else active.item_vectors
        )  # 3
        choice = choose_ranker(job, active, rows, as_of_ms, cuts, wishes, candidates) if retrain else None
        ranker = choice.ranker if choice else active.ranker
    manifest = Manifest(
        version=iso_date(as_of_ms),
        as_of_ms=as_of_ms,
        cuts=cuts,
        computed_with=active.name,
        vectors_as_of_ms=as_of_ms if retrain else active.manifest.vectors_as_of_ms,
        ranker_digest=ranker.digest if ranker else None,
        listeners=len(rows),
    )
    with versions.building(manifest.version) as draft:  # 4
        active.catalogue.write(draft / "catalogue.parquet")
        write_preferences(draft / PREFERENCES, wishes)
        _write(draft, rows, vectors, ranker)
        _write_card(draft, choice.card if choice else None, active)
        if choice and choice.sample is not None:
            pq.write_table(choice.sample, draft / TRAINING)
        write_people(draft, rows, heard, active, job.constants, seed, wishes, as_of_ms)  # 2
        write_popular(draft, heard, active, wishes, job.constants)
        return versions.publish(draft, manifest)


def active_version(lake: Lake, cuts: dict[int, int], as_of_ms: int) -> str:
    """Return the version that is active at a cut, the same in every partition.

    Raises:
        InfrastructureError: it is not the same: an activation has reached some partitions only.
    """
    found = {lake.active_version(partition, cut) or INITIAL for partition, cut in cuts.items()}
    if len(found) > 1:
        raise InfrastructureError(
            f"At {iso(as_of_ms)} the partitions use different versions: {', '.join(sorted(found))}",
            "an activation reached some of them only",
            "Activate one version in all partitions and run the night again",
        )
    return found.pop()


def _write(draft: Path, rows: pa.Table, vectors: ItemVectors, ranker: Ranker | None) -> None:
    (draft / "rows").mkdir()
    pq.write_table(rows, draft / "rows" / "part-00000.parquet")
    vectors.write(draft / "item_vectors.parquet")
    if ranker is not None:
        ranker.write(draft / "ranker.json")


def _write_card(draft: Path, card: str | None, active: Version) -> None:
    """Write the model card of a night that trained, else that of the version before."""
    before = active.folder / CARD
    if card is not None:
        (draft / CARD).write_text(card, encoding="utf-8")
    elif before.exists():
        (draft / CARD).write_bytes(before.read_bytes())
