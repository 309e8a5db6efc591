"""Which taste cluster a listener is in, among all of a log: the class's own clusters, on the rates that a class can count."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from batch.clusters import CLUSTERS, LISTENERS_A_CLUSTER, RATES, clusters
from batch.engagement import Engagement
from batch.profiles import profiles
from contract.catalogue import Catalogue
from contract.features import FeatureConstants

ENOUGH = 2 * LISTENERS_A_CLUSTER
"""With fewer listeners there is one cluster, and that says nothing."""
SEED = 7
CONSTANTS = FeatureConstants()


def cluster_of(rows: pd.DataFrame, catalogue: Catalogue, user: str) -> str | None:
    """Return the name of a listener's cluster; None where listeners are too few, or too alike, to be told apart.

    ``rows`` are those of a log (``lab.wrapped.log.COLUMNS``), with the listener among them.
    """
    heard = engagement_of(rows)
    if len(heard.users) < ENOUGH:
        return None
    told = profiles(heard, catalogue, CONSTANTS)
    names = clusters({"skip_rate": told.skip_rate, "replay_rate": told.replay_rate}, RATES, SEED)
    return names[heard.users.index(user)] if 1 < len(set(names)) <= CLUSTERS else None


def engagement_of(rows: pd.DataFrame) -> Engagement:
    """Return the highest engagement of each (listener, item) pair: skip 0.1, play 0.5, replay 0.9; names ascend."""
    tenths = _tenths(rows)
    users, row = np.unique(tenths.index.get_level_values(0).astype(str), return_inverse=True)
    items, column = np.unique(tenths.index.get_level_values(1).astype(str), return_inverse=True)
    matrix = csr_array((tenths.to_numpy() / 10, (row, column)), (len(users), len(items)))
    matrix.sort_indices()
    return Engagement(tuple(users.tolist()), tuple(items.tolist()), matrix)


def _tenths(rows: pd.DataFrame) -> pd.Series:
    """Return the engagement by (user, item), in tenths."""
    scored = rows[["user", "item"]].assign(tenths=CONSTANTS.skip_tenths)
    scored.loc[rows["play"], "tenths"] = CONSTANTS.play_tenths
    again = _replays(rows[rows["play"] & ~rows["podcast"]]).assign(tenths=CONSTANTS.replay_tenths)
    return pd.concat([scored, again]).groupby(["user", "item"], observed=True)["tenths"].max()


def _replays(songs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs with two plays at most a day apart; equal instants are never a replay."""
    moments = songs[["user", "item", "ts_ms"]].drop_duplicates().sort_values(["user", "item", "ts_ms"])
    gap = moments.groupby(["user", "item"], observed=True)["ts_ms"].diff()
    return moments.loc[gap <= CONSTANTS.replay_window_ms, ["user", "item"]]
