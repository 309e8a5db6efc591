"""For whom it is worse: groups of listeners by what both paths know of them."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from contract.event import LAKE_SCHEMA
from contract.lake import Lake
from contract.versions import Version
from contract.windows import DAY_MS, iso_date
from monitoring.verdict import Segment

SMALLEST = 10
"""Groups of fewer listeners say nothing."""
WORSE = 1.5
"""A group is named where it is hit so many times as often as everybody."""


def profile(lake: Lake, version: Version, as_of_ms: int) -> pd.DataFrame:
    """Return country, device, tenure, kind and taste cluster of the listeners of a night, indexed by name."""
    week = lake.files(from_date=iso_date(as_of_ms - 7 * DAY_MS), to_date=iso_date(as_of_ms))
    columns = ["user_id", "country", "device", "ts_ms", "kind"]
    table = pa.concat_tables([LAKE_SCHEMA.empty_table().select(columns), *(pq.read_table(f, columns=columns) for f in week)])
    events = table.to_pandas().sort_values(["user_id", "ts_ms"], kind="stable")
    grouped = events.groupby("user_id")
    podcasts = (events["kind"] == "podcast").groupby(events["user_id"]).mean()
    kinds = podcasts.map(lambda share: {0.0: "music only", 1.0: "podcasts only"}.get(share, "both"))
    clusters = pq.read_table(version.folder / "profiles.parquet", columns=["user_id", "cluster"]).to_pandas()
    rows = pq.read_table(version.rows, columns=["user_id", "active_days_28d"]).to_pandas().set_index("user_id")
    frame = pd.DataFrame({"cluster": clusters.set_index("user_id")["cluster"]})
    frame["country"] = grouped["country"].last()
    frame["device"] = grouped["device"].last()
    frame["kind"] = kinds
    frame["tenure"] = rows["active_days_28d"].map(lambda days: "under 7 active days" if days < 7 else "7 active days or more")
    return frame


def worst(people: pd.DataFrame, affected: Collection[str]) -> list[Segment]:
    """Return the groups that are hit clearly more often than everybody, the worst first."""
    if not len(people) or not affected:
        return []
    hit = pd.Series(people.index.isin(list(affected)), people.index)
    everybody = float(hit.mean())
    if not everybody:
        return []
    found = [
        Segment(str(dimension), str(value), int(count), float(share))
        for dimension in people.columns
        for value, count, share in hit.groupby(people[dimension]).agg(["size", "mean"]).itertuples()
        if count >= SMALLEST and share >= WORSE * everybody
    ]
    return sorted(found, key=lambda segment: (-segment.share, segment.dimension, segment.value))
