"""Taste clusters: k-means on how somebody listens, each cluster named by what sets it apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.cluster import KMeans

from contract.rows import Floats

Poles = Mapping[str, tuple[str, str]]
"""Column -> what a cluster is called that stands out by high values of it, and by low ones."""

RATES: Poles = {
    "skip_rate": ("skippers", "patient listeners"),
    "replay_rate": ("repeat listeners", "explorers"),
}
"""By the items alone: what a class can count."""
PROFILE: Poles = {
    "skip_rate_28d": RATES["skip_rate"],
    "replay_rate_28d": RATES["replay_rate"],
    "completion_28d": ("finishers", "samplers"),
    "podcast_share_28d": ("podcast listeners", "music listeners"),
    "night_share_28d": ("night owls", "day listeners"),
    "listen_minutes_28d": ("heavy listeners", "occasional listeners"),
}
"""By the features of a night."""
CLUSTERS = 5
EVERYBODY = "everybody"
LISTENERS_A_CLUSTER = 3


def clusters(columns: Mapping[str, Floats], poles: Poles, seed: int) -> list[str]:
    """Return the name of each listener's cluster; ``columns`` (each (n,), NaN for null) has those of ``poles``.

    There are at most ``CLUSTERS``, fewer where names or listeners are few; where there would be but one, all are 'everybody'.
    """
    profile = np.stack([_filled(columns[name]) for name in poles], axis=1)
    count = min(CLUSTERS, len(profile) // LISTENERS_A_CLUSTER, 2 * len(poles), len(np.unique(profile, axis=0)))
    if count < 2:
        return [EVERYBODY] * len(profile)
    spread = profile.std(axis=0)
    standard = (profile - profile.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = KMeans(count, n_init=4, random_state=seed).fit(standard)
    names = _names(model.cluster_centers_, list(poles.values()))
    return [names[label] for label in model.labels_]


def _filled(column: Floats) -> Floats:
    known = column[~np.isnan(column)]
    return np.where(np.isnan(column), known.mean() if len(known) else 0.0, column)


def _names(centres: Floats, poles: list[tuple[str, str]]) -> list[str]:
    """Name each centre, in the order of how far it stands out, by the most telling name that is still free.

    Where all names that would be true of it are taken, it shares the most telling one, with a number.
    """
    names: dict[int, str] = {}
    order = np.dstack(np.unravel_index(np.argsort(-np.abs(centres), axis=None, kind="stable"), centres.shape))[0]
    telling: dict[int, str] = {}
    for cluster, feature in order.tolist():
        name = poles[feature][0 if centres[cluster, feature] > 0 else 1]
        telling.setdefault(cluster, name)
        if cluster not in names and name not in names.values():
            names[cluster] = name
    for cluster in sorted(set(telling) - set(names)):
        names[cluster] = f"{telling[cluster]} ({sum(n.startswith(telling[cluster]) for n in names.values()) + 1})"
    return [names[i] for i in range(len(centres))]
