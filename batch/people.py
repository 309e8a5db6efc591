"""What a night publishes of each listener: rates and top genre, taste cluster, neighbours, recommendations with their reasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch.clusters import PROFILE, clusters
from batch.engagement import Engagement
from batch.neighbours import RECOMMENDATIONS
from batch.profiles import profiles
from batch.recommend import Recommender
from contract.features import FeatureConstants
from contract.versions import Version


def write_people(draft: Path, rows: pa.Table, heard: Engagement, active: Version, constants: FeatureConstants, seed: int) -> None:
    """Write ``profiles.parquet``: one row a listener of the engagement, in its order."""
    pq.write_table(_profiles(rows, heard, active, constants, seed), draft / "profiles.parquet")


def _profiles(rows: pa.Table, heard: Engagement, active: Version, constants: FeatureConstants, seed: int) -> pa.Table:
    told = profiles(heard, active.catalogue, constants)
    columns = {name: rows.column(name).to_numpy(zero_copy_only=False).astype(np.float64) for name in PROFILE}
    cluster = dict(zip(rows.column("user_id").to_pylist(), clusters(columns, PROFILE, seed), strict=True))
    recommender = Recommender(heard, active.catalogue, constants, seed)
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
