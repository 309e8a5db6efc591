"""One night: from the lake up to its cut to one published version.

1. everybody's rows as of midnight, with the version active at the cut;
2. engagement, neighbours, recommendations, taste clusters;
3. once a week new item vectors and a new ranker, else those of the version before;
4. all of it into a draft; then the draft gets its name. A night that dies leaves nothing that is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch.clusters import PROFILE, clusters
from batch.engagement import Engagement, engagement
from batch.listens import Job, as_of_night
from batch.neighbours import RECOMMENDATIONS
from batch.profiles import profiles
from batch.ranker import show_facts, train
from batch.recommend import Recommender
from batch.rows import kept, rows_of
from batch.training import MIDNIGHTS, training_set
from batch.vectors import item_vectors
from contract.errors import InfrastructureError
from contract.home import Home
from contract.lake import Lake
from contract.ranker import Ranker
from contract.versions import INITIAL, ItemVectors, Manifest, Version, Versions
from contract.windows import DAY_MS, iso, iso_date

RETRAIN_DAYS = 7


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
    retrain = due(active, as_of_ms)
    vectors = item_vectors(job.spark, heard.known(active.catalogue), seed) if retrain else active.item_vectors  # 3
    ranker = _ranker(job, active, rows, as_of_ms, cuts) if retrain else active.ranker
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
    _write(draft, rows, vectors, ranker)
    pq.write_table(_profiles(rows, heard, active, job, seed), draft / "profiles.parquet")  # 2
    return versions.publish(draft, manifest)


def due(active: Version, as_of_ms: int) -> bool:
    """Tell whether a night trains new vectors and a new ranker: those of the active version are a week old, or none."""
    trained = active.manifest.vectors_as_of_ms
    return trained is None or as_of_ms >= trained + RETRAIN_DAYS * DAY_MS


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


def _ranker(job: Job, active: Version, rows: pa.Table, as_of_ms: int, cuts: dict[int, int]) -> Ranker | None:
    shows = show_facts(rows, active.catalogue)
    if not shows or not len(rows):
        return None
    midnights = [as_of_ms - days * DAY_MS for days in range(MIDNIGHTS, 0, -1)]
    spine = training_spine(rows, job.lake, cuts, midnights)
    return train(training_set(job, active, spine, shows), shows, as_of_ms)


def _write(draft: Path, rows: pa.Table, vectors: ItemVectors, ranker: Ranker | None) -> None:
    (draft / "rows").mkdir()
    pq.write_table(rows, draft / "rows" / "part-00000.parquet")
    vectors.write(draft / "item_vectors.parquet")
    if ranker is not None:
        ranker.write(draft / "ranker.json")


def _profiles(rows: pa.Table, heard: Engagement, active: Version, job: Job, seed: int) -> pa.Table:
    """Return, by listener: rates and top genre, taste cluster, neighbours with cosines, recommended items with their reasons."""
    told = profiles(heard, active.catalogue, job.constants)
    columns = {name: rows.column(name).to_numpy(zero_copy_only=False).astype(np.float64) for name in PROFILE}
    cluster = dict(zip(rows.column("user_id").to_pylist(), clusters(columns, PROFILE, seed), strict=True))
    recommender = Recommender(heard, active.catalogue, job.constants, seed)
    near = recommender.nearest()
    found = recommender.all(RECOMMENDATIONS)
    return pa.table(
        {
            "user_id": pa.array(heard.users, pa.string()),
            "skip_rate": told.skip_rate,
            "replay_rate": told.replay_rate,
            "top_genre": pa.array(told.top_genre, pa.string()),
            "top_genre_affinity": pa.array(told.top_genre_affinity, mask=np.isnan(told.top_genre_affinity)),
            "cluster": pa.array([cluster.get(user) for user in heard.users], pa.string()),
            "neighbours": pa.array([[name for name, _ in one] for one in near], pa.list_(pa.string())),
            "similarities": pa.array([[cosine for _, cosine in one] for one in near], pa.list_(pa.float64())),
            "items": pa.array([[r.item for r in one] for one in found], pa.list_(pa.string())),
            "scores": pa.array([[r.score for r in one] for one in found], pa.list_(pa.float64())),
            "reasons": pa.array([[r.reason for r in one] for one in found], pa.list_(pa.string())),
        }
    )
