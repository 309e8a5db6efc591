"""Taste clusters: k-means on how somebody listens, each cluster named by what sets it apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.cluster import KMeans

PROFILE = {
    "skip_rate_28d": ("skippers", "patient listeners"),
    "replay_rate_28d": ("repeat listeners", "explorers"),
    "completion_28d": ("finishers", "samplers"),
    "podcast_share_28d": ("podcast listeners", "music listeners"),
    "night_share_28d": ("night owls", "day listeners"),
    "listen_minutes_28d": ("heavy listeners", "occasional listeners"),
}
"""Feature -> what a cluster is called that stands out by a high value of it, and by a low one."""
CLUSTERS = 5


def clusters(rows: pa.Table, seed: int) -> list[str]:
    """Return the name of each row's cluster; with fewer rows than clusters, all are 'everybody'."""
    columns = [rows.column(name).to_numpy(zero_copy_only=False).astype(np.float64) for name in PROFILE]
    if len(rows) < CLUSTERS * 2:
        return ["everybody"] * len(rows)
    profile = np.stack([_filled(column) for column in columns], axis=1)
    spread = profile.std(axis=0)
    standard = (profile - profile.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = KMeans(CLUSTERS, n_init=4, random_state=seed).fit(standard)
    names = _names(model.cluster_centers_)
    return [names[label] for label in model.labels_]


def _filled(column: np.ndarray) -> np.ndarray:
    known = column[~np.isnan(column)]
    return np.where(np.isnan(column), known.mean() if len(known) else 0.0, column)


def _names(centres: np.ndarray) -> list[str]:
    """Name each centre, in the order of how far it stands out, by the most telling name that is still free."""
    names: dict[int, str] = {}
    order = np.dstack(np.unravel_index(np.argsort(-np.abs(centres), axis=None, kind="stable"), centres.shape))[0]
    for cluster, feature in order.tolist():
        name = list(PROFILE.values())[feature][0 if centres[cluster, feature] > 0 else 1]
        if cluster not in names and name not in names.values():
            names[cluster] = name
    return [names[i] for i in range(len(centres))]
