"""One night: from the lake up to its cut to one published version.

1. everybody's rows as of midnight, with the version active at the cut;
2. engagement, neighbours, recommendations, taste clusters;
3. once a week new item vectors and a new ranker, else those of the version before;
4. all of it into a draft; then the draft gets its name. A night that dies leaves nothing that is read.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch.engagement import engagement
from batch.listens import Job, as_of_night
from batch.people import write_people
from batch.rows import kept, rows_of
from batch.vectors import item_vectors
from batch.weekly import due, new_ranker
from contract.errors import InfrastructureError
from contract.home import Home
from contract.lake import Lake
from contract.preferences import read_preferences, write_preferences
from contract.ranker import Ranker
from contract.versions import INITIAL, PREFERENCES, ItemVectors, Manifest, Version, Versions
from contract.windows import iso, iso_date


def run_night(job: Job, home: Home, as_of_ms: int, seed: int = 0) -> Version:
    """Compute and publish the version of a night; running it again gives the same.

    Raises:
        CannotJudge: the lake is empty or has not reached the midnight.
        InfrastructureError: the partitions do not agree on the active version.
    """
    cuts = job.lake.cut(as_of_ms)
    versions = Versions(home.versions)
    active = versions.get(active_version(job.lake, cuts, as_of_ms))
    with kept(as_of_night(job, as_of_ms, cuts)) as listens:
        rows, heard = rows_of(job, listens, active), engagement(listens)  # 1
    wishes = read_preferences(home.preferences)
    retrain = due(active, as_of_ms)
    vectors = item_vectors(job.spark, heard.known(active.catalogue), seed) if retrain else active.item_vectors  # 3
    ranker = new_ranker(job, active, rows, as_of_ms, cuts) if retrain else active.ranker
    manifest = Manifest(
        version=iso_date(as_of_ms),
        as_of_ms=as_of_ms,
        cuts=cuts,
        computed_with=active.name,
        vectors_as_of_ms=as_of_ms if retrain else active.manifest.vectors_as_of_ms,
        ranker_digest=ranker.digest if ranker else None,
        listeners=len(rows),
    )
    draft = versions.draft(manifest.version)  # 4
    active.catalogue.write(draft / "catalogue.parquet")
    write_preferences(draft / PREFERENCES, wishes)
    _write(draft, rows, vectors, ranker)
    write_people(draft, rows, heard, active, job.constants, seed)  # 2
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
