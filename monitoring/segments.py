"""For whom it is worse: groups of listeners by what both paths know of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.event import LAKE_SCHEMA
from contract.lake import Lake
from contract.versions import Version
from contract.windows import DAY_MS, iso_date
from monitoring.frames import read_table
from monitoring.numbers import Compared
from monitoring.slices import SMALLEST
from monitoring.verdict import Segment, SegmentNumbers

WORSE = 1.5
"""A group is named where it is hit so many times as often as everybody."""
KINDS = {0.0: "music only", 1.0: "podcasts only"}
"""What a listener hears, by the share of podcasts."""
_RANKED = 20_000
"""Of a group's requests at most so many are looked at for its numbers other than shares: more tell the same, slower."""


def profile(lake: Lake, version: Version, as_of_ms: int) -> pd.DataFrame:
    """Return country, device, tenure, kind and taste cluster of the listeners of a night, indexed by name."""
    week = lake.files(from_date=iso_date(as_of_ms - 7 * DAY_MS), to_date=iso_date(as_of_ms))
    columns = ["user_id", "country", "device", "ts_ms", "kind"]
    read = [read_table(file, columns=columns, partitioning=None) for file in week]
    events = pa.concat_tables([LAKE_SCHEMA.empty_table().select(columns), *read]).sort_by("ts_ms")
    podcast = pc.cast(pc.equal(events.column("kind"), "podcast"), pa.float64())
    grouped = events.append_column("podcast", podcast).group_by("user_id", use_threads=False)
    latest = grouped.aggregate([("country", "last"), ("device", "last"), ("podcast", "mean")]).to_pandas().set_index("user_id")
    clusters = read_table(version.folder / "profiles.parquet", columns=["user_id", "cluster"]).to_pandas()
    rows = read_table(version.rows, columns=["user_id", "active_days_28d"]).to_pandas().set_index("user_id")
    frame = pd.DataFrame({"cluster": clusters.set_index("user_id")["cluster"]})
    frame["country"], frame["device"] = latest["country_last"], latest["device_last"]
    frame["kind"] = latest["podcast_mean"].map(
        lambda share: {0.0: "music only", 1.0: "podcasts only"}.get(share, "music and podcasts")
    )
    frame["tenure"] = rows["active_days_28d"].map(lambda days: "under 7 active days" if days < 7 else "7 active days or more")
    return frame


def worst(people: pd.DataFrame, affected: Collection[str], borne: float = 0.0) -> list[Segment]:
    """Return the groups that are hit clearly more often than everybody, and than is ``borne``, the worst first."""
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
        if count >= SMALLEST and share >= WORSE * everybody and share > borne
    ]
    return sorted(found, key=lambda segment: (-segment.share, segment.dimension, segment.value))


def by_segment(people: pd.DataFrame, users: Sequence[str], feature: Compared) -> list[SegmentNumbers]:
    """Return a feature's numbers in each group that holds a request beyond tolerance; ``users`` are those of the requests."""
    return [
        SegmentNumbers(dimension, value, len(rows), {**_sampled(feature, rows).told(), **_shares(feature, rows)})
        for dimension, value, rows in _groups(people, people.index.get_indexer(pd.Index(users)))
        if len(rows) >= SMALLEST and feature.beyond[rows].any()
    ]


def _groups(people: pd.DataFrame, place: NDArray[np.int64]) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Yield dimension, value and requests of each group; ``place`` is the row of each request's listener, -1 where unknown."""
    for dimension in people.columns:
        codes, values = pd.factorize(people[dimension].astype(object), sort=True)
        mine = np.where(place >= 0, codes[place], -1)
        for code, value in enumerate(values):
            yield str(dimension), str(value), np.flatnonzero(mine == code)


def _sampled(feature: Compared, rows: NDArray[np.int64]) -> Compared:
    return feature.take(rows[:: -(-len(rows) // _RANKED)])


def _shares(feature: Compared, rows: NDArray[np.int64]) -> dict[str, float | None]:
    return {"exact": float(feature.exact[rows].mean()), "beyond": float(feature.beyond[rows].mean())}
