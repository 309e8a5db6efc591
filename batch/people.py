"""What a night publishes of each listener: rates and top genre, taste cluster, neighbours; and the shelves of recommendations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch.clusters import PROFILE, clusters
from batch.engagement import Engagement
from batch.neighbours import NEIGHBOURS
from batch.profiles import profiles
from batch.recommending.crowd import Crowd
from batch.recommending.night import write_recommendations
from contract.features import FeatureConstants
from contract.preferences import Preferences
from contract.versions import Version


def write_people(
    draft: Path,
    rows: pa.Table,
    heard: Engagement,
    active: Version,
    constants: FeatureConstants,
    seed: int,
    wishes: Preferences,
    as_of_ms: int,
) -> None:
    """Write ``profiles.parquet``, one row a listener of the engagement in its order, and ``recommendations.parquet``."""
    crowd = Crowd.of(heard, active.catalogue, active.item_vectors, wishes, constants, seed)
    pq.write_table(_profiles(rows, heard, active, crowd, seed), draft / "profiles.parquet")
    write_recommendations(draft, crowd, wishes, as_of_ms, seed)


def _profiles(rows: pa.Table, heard: Engagement, active: Version, crowd: Crowd, seed: int) -> pa.Table:
    told = profiles(heard, active.catalogue, crowd.constants)
    columns = {name: rows.column(name).to_numpy(zero_copy_only=False).astype(np.float64) for name in PROFILE}
    cluster = dict(zip(rows.column("user_id").to_pylist(), clusters(columns, PROFILE, seed), strict=True))
    near, cosine = crowd.near[:, :NEIGHBOURS], crowd.cosine[:, :NEIGHBOURS]
    starts = pa.array(np.concatenate([[0], np.cumsum((near >= 0).sum(axis=1))]), pa.int32())
    names = np.array([*heard.users, ""], object)[near[near >= 0]]
    return pa.table(
        {
            "user_id": pa.array(heard.users, pa.string()),
            "skip_rate": told.skip_rate,
            "replay_rate": told.replay_rate,
            "top_genre": pa.array(told.top_genre, pa.string()),
            "top_genre_affinity": pa.array(told.top_genre_affinity, mask=np.isnan(told.top_genre_affinity)),
            "cluster": pa.array([cluster.get(user) for user in heard.users], pa.string()),
            "neighbours": pa.ListArray.from_arrays(starts, pa.array(names, pa.string())),
            "similarities": pa.ListArray.from_arrays(starts, pa.array(cosine[near >= 0], pa.float64())),
        }
    )
