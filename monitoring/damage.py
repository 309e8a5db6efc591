"""What a skew cost where nobody knows the truth: the same requests ranked with what was served, and with what can be trusted.

A served row and the batch path's row of the same request were ranked by the same model, so they differ by their features alone.
Both rankings are held against what the listener finished on the day behind the request (an *offline replay*). The listener saw
one of them at most, so the replay favours neither only as far as listening does not follow what is shown.

    quality before - quality now = (trusted now - served now) + (trusted before - trusted now)
                                 =  feature disparity         +  drift
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from batch.metrics.ranking import ndcg
from contract.catalogue import Catalogue
from contract.event import LAKE_SCHEMA
from contract.home import Home, placed_whole
from contract.keys import rec_id
from contract.lake import Lake
from contract.windows import DAY_MS, iso_date
from monitoring.compare import Pair
from monitoring.frames import read_table

FEWEST = 30
"""Of fewer requests with an outcome nothing is said: their mean NDCG is off by some 0.06 by chance alone (0.35 / sqrt(30))."""
FINISHED = 0.5
"""The share of an episode from which it counts as finished, as in the ranker's training."""


@dataclass(frozen=True)
class Replayed:
    """A night's requests with something finished behind them: how many, and the mean NDCG@10 of both rankings."""

    night_ms: int
    requests: int
    served: float
    trusted: float


def keep_rankings(home: Home, as_of_ms: int, requests: Pair) -> None:
    """Keep both rankings of a night's requests: what listeners did afterwards is known a day later only."""
    left, right = requests.left, requests.right
    places = zip(*(right.column(name).to_pylist() for name in ("partition", "cut", "user_id")), strict=True)
    kept = pa.table(
        {
            "rec_id": pa.array([rec_id(*place) for place in places], pa.string()),
            "user_id": right.column("user_id"),
            "as_of_ms": right.column("as_of_ms"),
            "served": right.column("shows"),
            "trusted": left.column("shows"),
        }
    )
    with placed_whole(_kept(home, as_of_ms)) as temporary:
        pq.write_table(kept, temporary)


def replayed(home: Home, lake: Lake, catalogue: Catalogue, nights: Iterable[int]) -> list[Replayed]:
    """Replay the kept requests of those nights of which the day behind is over; nights without any outcome are left out."""
    known = max(lake.nights(), default=0)
    ready = [at for at in nights if at + DAY_MS <= known and _kept(home, at).exists()]
    found = (_replay(read_table(_kept(home, at)), lake, catalogue, at) for at in ready)
    return [one for one in found if one is not None]


def split(nights: Sequence[Replayed], onset_ms: int, last_ms: int) -> Mapping[str, float | None]:
    """Split what quality was lost from an onset on into feature disparity and drift; None where one cannot be told.

    Returns:
        ``replay_requests``, ``replay_served``, ``replay_trusted``, ``replay_disparity`` and ``replay_drift``, NDCG@10 each.
    """
    before = [one for one in nights if one.night_ms < onset_ms]
    since = [one for one in nights if onset_ms <= one.night_ms <= last_ms]
    served, trusted, earlier = _mean(since, "served"), _mean(since, "trusted"), _mean(before, "trusted")  # None of too few
    return {
        "replay_requests": float(sum(one.requests for one in since)) if since else None,
        "replay_served": served,
        "replay_trusted": trusted,
        "replay_disparity": None if served is None or trusted is None else trusted - served,
        "replay_drift": None if earlier is None or trusted is None else earlier - trusted,
    }


def _replay(requests: pa.Table, lake: Lake, catalogue: Catalogue, night_ms: int) -> Replayed | None:
    frame = requests.to_pandas()
    frame = frame[frame["served"].notna() & frame["trusted"].notna()]
    if not len(frame):
        return None
    shows = sorted({show for column in ("served", "trusted") for shown in frame[column] for show in shown})
    code = {show: i for i, show in enumerate(shows)}
    relevance = np.zeros((len(frame), len(shows)))
    for row, show in _finished(frame, lake, catalogue, night_ms):
        if show in code:
            relevance[row, code[show]] = 1
    some = relevance.any(axis=1)
    if not some.any():
        return None
    served, trusted = (
        np.array([[code[show] for show in shown] for shown in frame[name][some]]) for name in ("served", "trusted")
    )
    quality = [float(ndcg(relevance[some], ranked).mean()) for ranked in (served, trusted)]
    return Replayed(night_ms, int(some.sum()), *quality)


def _finished(frame: pd.DataFrame, lake: Lake, catalogue: Catalogue, night_ms: int) -> list[tuple[int, str]]:
    """Return (row of the frame, show): of which shows half an episode or more was heard on the day behind each request."""
    asked = frame[["user_id", "as_of_ms"]].rename(columns={"as_of_ms": "asked_ms"}).assign(row=np.arange(len(frame)))
    events = _podcasts(lake, night_ms, set(frame["user_id"]))
    heard = events.merge(asked, on="user_id")
    heard = heard[(heard["ts_ms"] > heard["asked_ms"]) & (heard["ts_ms"] <= heard["asked_ms"] + DAY_MS)]
    episodes = heard.groupby(["row", "item_id"], as_index=False).agg({"ms_played": "sum", "duration_ms": "max"})
    done = episodes[episodes["ms_played"] >= FINISHED * episodes["duration_ms"]]
    items = catalogue.items
    shows = [(row, items[item].show) for row, item in zip(done["row"], done["item_id"], strict=True) if item in items]
    return [(int(row), show) for row, show in shows if show is not None]


def _podcasts(lake: Lake, night_ms: int, users: set[str]) -> pd.DataFrame:
    """Return what some listeners heard of podcasts on the days around a night, each event once."""
    columns = ["user_id", "event_id", "item_id", "ts_ms", "ms_played", "duration_ms"]
    files = lake.files(from_date=iso_date(night_ms - DAY_MS), to_date=iso_date(night_ms + DAY_MS))
    wanted = [("kind", "==", "podcast")]
    tables = [read_table(file, columns=columns, filters=wanted, partitioning=None) for file in files]
    events = pa.concat_tables([pa.schema([LAKE_SCHEMA.field(c) for c in columns]).empty_table(), *tables]).to_pandas()
    return events[events["user_id"].isin(users)].drop_duplicates(["user_id", "event_id", "ts_ms"])


def _mean(nights: Sequence[Replayed], name: str) -> float | None:
    weight = sum(one.requests for one in nights)
    return sum(getattr(one, name) * one.requests for one in nights) / weight if weight >= FEWEST else None


def _kept(home: Home, as_of_ms: int) -> Path:
    return home.reports / "requests" / f"{iso_date(as_of_ms)}.parquet"
