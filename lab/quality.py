"""How good a ranking is against the truth that the world knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from batch.metrics.ranking import ndcg
from contract.event import Names
from contract.rows import Floats


def podcast_minutes(rows: pa.Table) -> dict[str, float]:
    """Return how many minutes of podcasts each listener hears on a day, in the mean of the 28 days before."""
    minutes, share = (rows.column(name).to_numpy() for name in ("listen_minutes_28d", "podcast_share_28d"))
    a_day = np.nan_to_num(minutes * share) / 28
    return dict(zip(rows.column("user_id").to_pylist(), a_day.tolist(), strict=True))


def ndcg_of_rows(rows: pa.Table, users: Names, shows: Sequence[str], relevance: Floats) -> dict[str, float]:
    """Return NDCG@10 by listener, of those that both the rows and the truth know; empty where the rows hold no ranking."""
    shown = rows.column("shows")
    if not len(rows) or shown.null_count == len(shown):
        return {}
    place = {user: i for i, user in enumerate(users)}
    code = {show: i for i, show in enumerate(shows)}
    names = rows.column("user_id").to_pylist()
    known = [i for i, user in enumerate(names) if user in place and shown[i].is_valid]
    if not known:
        return {}
    ranked = np.array([[code[show] for show in shown[i].as_py()] for i in known])
    values = ndcg(relevance[[place[names[i]] for i in known]], ranked)
    return {names[i]: float(value) for i, value in zip(known, values, strict=True) if not np.isnan(value)}
