"""How good a ranking is against the truth that the world knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from contract.event import Names
from contract.features import TOP
from contract.rows import Floats


def ndcg(relevance: Floats, ranked: np.ndarray, k: int = TOP) -> Floats:
    """Return NDCG@k with linear gains (Järvelin & Kekäläinen 2002), shape (n,); NaN where nothing is relevant.

    ``relevance`` (n, shows) is the truth, ``ranked`` (n, m) the codes of the shows in the order in which they are shown.
    """
    discount = 1.0 / np.log2(np.arange(k) + 2)
    shown = np.take_along_axis(relevance, ranked[:, :k], axis=1)
    best = -np.sort(-relevance, axis=1)[:, :k]
    gained = shown @ discount[: shown.shape[1]]
    ideal = best @ discount[: best.shape[1]]
    return np.asarray(np.divide(gained, ideal, out=np.full(len(gained), np.nan), where=ideal > 0))


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
