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

MAIN = ""
"""The part of a suite's frames without which it cannot be judged."""
UNMATCHED = "unmatched"
"""The column of the parity frame that tells requests which only one path answers."""


@dataclass(frozen=True)
class Measures:
    """What the suites validate, and what is published beside the verdict.

    ``parity`` has one row a listener at midnight and ``requests`` one row a request of the day, each with ``user_id`` and per
    feature 1 where it is beyond tolerance; ``ranking`` one row a listener; ``distribution`` one row a feature; ``operations``
    one row a listener of the live path.
    """

    operations: pd.DataFrame
    distribution: pd.DataFrame
    parity: pd.DataFrame
    requests: pd.DataFrame
    ranking: pd.DataFrame
    features: Mapping[str, Mapping[str, float | None]]

    def frames(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Return each suite's frames, by part. Midnight and day are judged apart: some hundred requests drown in a snapshot."""
        return {
            "operations": {MAIN: self.operations},
            "distribution": {MAIN: self.distribution},
            "parity": {MAIN: self.parity, "requests": self.requests},
            "ranking": {MAIN: self.ranking},
        }


def measure(night: Night) -> Measures:
    """Measure a night."""
    pairs = (night.snapshot, night.requests)
    exact = {f.name: tuple(equal(pair, f.name) for pair in pairs) for f in FEATURES}
    beyond = {f.name: tuple(~tolerable(pair, f.name) for pair in pairs) for f in FEATURES}
    snapshot, requests = (_beyond(pair, {name: parts[i] for name, parts in beyond.items()}) for i, pair in enumerate(pairs))
    return Measures(
        operations=_operations(night),
        distribution=_distribution(night),
        parity=snapshot,
        requests=requests,
        ranking=rankings(night.snapshot) if night.judges_ranking else pd.DataFrame({"overlap": []}),
        features={f.name: _agreement(pairs, f, np.concatenate(exact[f.name]), np.concatenate(beyond[f.name])) for f in FEATURES},
    )


def _distribution(night: Night) -> pd.DataFrame:
    if not len(night.batch) or not len(night.live):
        return pd.DataFrame({"feature": []})
    return pd.DataFrame([{"feature": f.name, **distances(f, night.batch, night.live)} for f in FEATURES])


def _operations(night: Night) -> pd.DataFrame:
    """Return the live path's rows without maps and vectors, and the day's facts beside each."""
    scalars = [f.name for f in FEATURES if f.kind in {"number", "category"}]
    frame = night.live.select(["user_id", *scalars]).to_pandas()
    return frame.assign(**{f"_{name}": value for name, value in night.facts.items()})


def _beyond(pair: Pair, beyond: Mapping[str, np.ndarray]) -> pd.DataFrame:
    columns = {name: mask.astype(np.int8) for name, mask in beyond.items()}
    matched = pd.DataFrame({"user_id": pair.left.column("user_id").to_pylist(), **columns, UNMATCHED: 0})
    lonely = [*pair.missing.column("user_id").to_pylist(), *pair.extra.column("user_id").to_pylist()]
    return pd.concat([matched, pd.DataFrame({"user_id": lonely, UNMATCHED: 1})], ignore_index=True)


def _agreement(pairs: tuple[Pair, ...], feature: Feature, exact: np.ndarray, beyond: np.ndarray) -> dict[str, float | None]:
    """Return shares over all requests, and how numbers differ where they do."""
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
