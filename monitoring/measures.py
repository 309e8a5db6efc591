"""The night in numbers: per feature how far the paths agree, and for whom they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contract.features import FEATURES, NAMES
from monitoring.compare import Mask, Pair
from monitoring.distances import distances
from monitoring.frames import require_columns
from monitoring.night import Night
from monitoring.numbers import Told, compared, joined
from monitoring.ranking import TEXT, rankings

MAIN = ""
"""The part of a suite's frames without which it cannot be judged."""
UNMATCHED = "unmatched"
"""The column of the parity frame that tells requests which only one path answers."""
NOT_FINITE = "_not_finite"
"""The column of the operations frame that tells how many of a row's values are NaN or infinite."""
PARTS = ("snapshot", "requests")


@dataclass(frozen=True)
class Measures:
    """What the suites validate, and what is published beside the verdict.

    ``parity`` has one row a listener at midnight and ``requests`` one row a request of the day, each with ``user_id`` and per
    feature 1 where it is beyond tolerance; ``ranking`` one row a listener; ``distribution`` one row a feature; ``operations``
    one row a listener of the live path. ``features`` tells the numbers of all requests, ``parts`` those of midnight and of the
    day apart, for the features beyond tolerance there.
    """

    operations: pd.DataFrame
    distribution: pd.DataFrame
    parity: pd.DataFrame
    requests: pd.DataFrame
    ranking: pd.DataFrame
    features: Mapping[str, Told]
    parts: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)

    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Return each suite's frames, by part. Midnight and day are judged apart: some hundred requests drown in a snapshot.

        Where a suite looks at means alone, its frame is one row of them: Great Expectations goes through a column in Python
        before it takes its mean, half a minute for a million listeners.
        """
        return {
            "operations": {MAIN: self.operations},
            "distribution": {MAIN: self.distribution},
            "parity": {MAIN: means(self.parity), "requests": means(self.requests)},
            "ranking": {MAIN: means(self.ranking)},
        }


def means(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row with the mean of each column's known values, NaN where none is known; no row of no rows."""
    numbers = frame.drop(columns="user_id", errors="ignore")
    return numbers.mean().to_frame().T if len(frame) else numbers


def measure(night: Night) -> Measures:
    """Measure a night.

    Raises:
        CannotJudge: a table lacks a column, or has one of another type.
    """
    for whose, table in (("batch", night.batch), ("live", night.live), ("served", night.requests.right)):
        require_columns(table.schema, f"The {whose} rows of the night")
    pairs = (night.snapshot, night.requests)
    beyond: tuple[dict[str, Mask], dict[str, Mask]] = {}, {}
    features: dict[str, Told] = {}
    parts: dict[str, dict[str, Told]] = {part: {} for part in PARTS}
    for found in compared(pairs, NAMES):
        name = found[0].name
        features[name] = joined(found).told()
        for part, masks, one in zip(PARTS, beyond, found, strict=True):
            masks[name] = one.beyond
            if one.beyond.any():
                parts[part][name] = one.told()
    snapshot, requests = (_beyond(pair, masks) for pair, masks in zip(pairs, beyond, strict=True))
    return Measures(
        operations=_operations(night),
        distribution=_distribution(night),
        parity=snapshot,
        requests=requests,
        ranking=rankings(night.snapshot) if night.judges_ranking else pd.DataFrame({"overlap": []}),
        features=features,
        parts=parts,
    )


def _distribution(night: Night) -> pd.DataFrame:
    if not len(night.batch) or not len(night.live):
        return pd.DataFrame({"feature": []})
    return pd.DataFrame([{"feature": f.name, **distances(f, night.batch, night.live)} for f in FEATURES])


def _operations(night: Night) -> pd.DataFrame:
    """Return the live path's rows without maps and vectors, and the day's facts beside each."""
    scalars = [f.name for f in FEATURES if f.kind in {"number", "category"}]
    frame = night.live.select(["user_id", *scalars]).to_pandas(types_mapper={pa.string(): TEXT}.get)
    facts = {f"_{name}": value for name, value in night.facts.items()}
    return frame.assign(**facts, **{NOT_FINITE: float(_not_finite(night.live))})


def _not_finite(rows: pa.Table) -> int:
    """Count the values that are NaN or infinite, in scalars, vectors and maps."""
    count = 0
    for feature in FEATURES:
        if feature.dtype == "float64":
            column = rows.column(feature.name).combine_chunks()
            flat = {"vector": pc.list_flatten, "map": lambda maps: maps.items}.get(feature.kind, lambda scalars: scalars)
            count += int(pc.sum(pc.invert(pc.is_finite(flat(column)))).as_py() or 0)
    return count


def _beyond(pair: Pair, beyond: Mapping[str, Mask]) -> pd.DataFrame:
    """Return a row a request: of those that only one path answers, no feature is known."""
    lonely = [table.column("user_id") for table in (pair.missing, pair.extra)]
    users = pa.chunked_array([chunk for column in (pair.left.column("user_id"), *lonely) for chunk in column.chunks], pa.string())
    unknown = np.full(len(users) - len(pair), np.nan) if len(users) > len(pair) else np.empty(0, np.int8)
    columns = {name: np.concatenate([mask.astype(np.int8), unknown]) for name, mask in beyond.items()}
    unmatched = (np.arange(len(users)) >= len(pair)).astype(np.int8)
    frame = pd.DataFrame({**columns, UNMATCHED: unmatched})
    frame.insert(0, "user_id", users.to_pandas(types_mapper={pa.string(): TEXT}.get))
    return frame
