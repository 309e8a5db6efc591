"""The night in numbers: per feature how far the paths agree, and for whom they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import spearmanr

from contract.features import FEATURES, Feature
from monitoring.compare import Pair, equal, tolerable
from monitoring.distances import distances
from monitoring.night import Night
from monitoring.ranking import rankings

UNMATCHED = "unmatched"
"""The column of the parity frame that tells requests which only one path answers."""


@dataclass(frozen=True)
class Measures:
    """What the suites validate, one frame each, and what is published beside the verdict.

    ``parity`` has one row a request, ``user_id`` and per feature 1 where it is beyond tolerance; ``ranking`` one row a
    listener; ``distribution`` one row a feature; ``operations`` one row a listener of the live path.
    """

    operations: pd.DataFrame
    distribution: pd.DataFrame
    parity: pd.DataFrame
    ranking: pd.DataFrame
    features: Mapping[str, Mapping[str, float | None]]


def measure(night: Night) -> Measures:
    """Measure a night."""
    pairs = (night.snapshot, night.requests)
    return Measures(
        operations=_operations(night),
        distribution=pd.DataFrame([{"feature": f.name, **distances(f, night.batch, night.live)} for f in FEATURES]),
        parity=pd.concat([_beyond(pair) for pair in pairs], ignore_index=True),
        ranking=rankings(night.snapshot) if night.judges_ranking else pd.DataFrame({"overlap": []}),
        features={feature.name: _agreement(pairs, feature) for feature in FEATURES},
    )


def _operations(night: Night) -> pd.DataFrame:
    """Return the live path's rows without maps and vectors, and the day's facts beside each."""
    scalars = [f.name for f in FEATURES if f.kind in {"number", "category"}]
    frame = night.live.select(["user_id", *scalars]).to_pandas()
    return frame.assign(**{f"_{name}": value for name, value in night.facts.items()})


def _beyond(pair: Pair) -> pd.DataFrame:
    columns = {feature.name: (~tolerable(pair, feature.name)).astype(np.int8) for feature in FEATURES}
    matched = pd.DataFrame({"user_id": pair.left.column("user_id").to_pylist(), **columns, UNMATCHED: 0})
    lonely = [*pair.missing.column("user_id").to_pylist(), *pair.extra.column("user_id").to_pylist()]
    return pd.concat([matched, pd.DataFrame({"user_id": lonely, UNMATCHED: 1})], ignore_index=True)


def _agreement(pairs: tuple[Pair, ...], feature: Feature) -> dict[str, float | None]:
    """Return shares over all requests, and how numbers differ where they do."""
    exact = np.concatenate([equal(pair, feature.name) for pair in pairs])
    beyond = np.concatenate([~tolerable(pair, feature.name) for pair in pairs])
    told: dict[str, float | None] = {
        "exact": float(exact.mean()) if len(exact) else None,
        "beyond": float(beyond.mean()) if len(beyond) else None,
    }
    if feature.kind == "number":
        told |= _numeric(*(_joined(pairs, side, feature.name) for side in ("left", "right")))
    return told


def _joined(pairs: tuple[Pair, ...], side: str, name: str) -> np.ndarray:
    columns: list[pa.ChunkedArray] = [getattr(pair, side).column(name) for pair in pairs]
    return np.concatenate([column.to_numpy().astype(np.float64) for column in columns])


def _numeric(left: np.ndarray, right: np.ndarray) -> dict[str, float | None]:
    one_null = np.isnan(left) != np.isnan(right)
    both = ~np.isnan(left) & ~np.isnan(right)
    a, b = left[both], right[both]
    varies = len(a) > 1 and len(np.unique(a)) > 1 and len(np.unique(b)) > 1
    differ = a != b
    relative = np.abs(b[differ] - a[differ]) / np.maximum(np.abs(a[differ]), 1e-12)
    return {
        "median_relative": float(np.median(relative)) if len(relative) else 0.0,
        "rank_correlation": float(spearmanr(a, b).statistic) if varies else None,
        "null_against_value": float(one_null.mean()) if len(one_null) else 0.0,
    }
