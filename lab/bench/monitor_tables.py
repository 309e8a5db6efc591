"""Two tables of one night for ``skewlab bench monitor``: what both paths would leave of so many listeners, drawn by chance.

No world is simulated: a monitor sees rows, whoever computed them. The columns have the widths and the shares of nulls that a
simulated world's have. The live path's rows stand in the order of its partitions and differ for ``DIFFERENT`` of the listeners.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contract.features import FEATURES, ROW_SCHEMA, TOP, Feature
from contract.windows import DAY_MS

PARTITIONS = 8
SHOWS, MAP_ENTRIES = 24, 4
WIDTHS = {"genre_affinity": 16, "user_vector": 32}
GENRES = np.array([f"genre-{i:02d}" for i in range(16)], object)
NULLS, DIFFERENT, ALONE = 0.05, 0.02, 0.001
"""Shares of values that are null where the registry allows it, of listeners whose rows differ, of rows that one path lacks."""
MOVED = ("plays_7d", "podcast_completion_28d", "show_completion_28d", "user_vector")
"""The features that differ."""
AS_OF_MS = 20_461 * DAY_MS
_AT_ONCE = 100_000


def write_night(folder: Path, listeners: int, seed: int = 7) -> tuple[Path, Path]:
    """Write the batch path's and the live path's rows; return the two folders. What lies there of an earlier call is kept."""
    batch, live = folder / "batch", folder / "live"
    if not (folder / "done").exists():
        for part, (first, count) in enumerate(_portions(listeners)):
            rng = np.random.default_rng((seed, part))
            rows = _rows(rng, first, count)
            _write(batch / f"{part:04d}.parquet", rows.filter(pa.array(rng.random(count) >= ALONE)))
            seen = _seen_live(rng, rows)
            for partition in range(PARTITIONS):
                mine = seen.filter(pc.equal(seen.column("partition"), partition))
                _write(live / f"p{partition:02d}-{part:04d}.parquet", mine)
        (folder / "done").touch()
    return batch, live


def _portions(listeners: int) -> Iterator[tuple[int, int]]:
    for first in range(0, listeners, _AT_ONCE):
        yield first, min(_AT_ONCE, listeners - first)


def _write(path: Path, rows: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path)


def _rows(rng: np.random.Generator, first: int, n: int) -> pa.Table:
    names = [f"user-{i:08d}" for i in range(first, first + n)]
    partition = rng.integers(0, PARTITIONS, n)
    scores = -np.sort(-rng.random((n, TOP)), axis=1)
    columns = [
        pa.array(names, pa.string()),
        pa.array(np.full(n, AS_OF_MS), pa.int64()),
        pa.array(partition, pa.int32()),
        pa.array(1_000_000 + partition, pa.int64()),
        pa.array(np.full(n, "2026-01-07", object), pa.string()),
        *(_feature(rng, feature, n) for feature in FEATURES),
        _lists(pa.array(_shows()[rng.permuted(np.tile(np.arange(SHOWS), (n, 1)), axis=1)[:, :TOP].ravel()], pa.string()), n),
        _lists(pa.array(scores.ravel()), n),
    ]
    return pa.table(columns, schema=ROW_SCHEMA)


def _feature(rng: np.random.Generator, feature: Feature, n: int) -> pa.Array:
    null = rng.random(n) < NULLS if feature.null.startswith("null") else np.zeros(n, np.bool_)
    if feature.kind == "map":
        return _maps(rng, feature, n)
    if feature.kind == "vector":
        width = WIDTHS[feature.name]
        return _lists(pa.array(rng.random(int((~null).sum()) * width)), n, null)
    if feature.kind == "category":
        return pa.array(GENRES[rng.integers(0, len(GENRES), n)], pa.string(), mask=null)
    values: NDArray[Any] = rng.poisson(20, n) if feature.dtype == "int64" else rng.random(n)
    return pa.array(values, feature.arrow_type, mask=null)


def _maps(rng: np.random.Generator, feature: Feature, n: int) -> pa.Array:
    """Draw maps of 0 to twice ``MAP_ENTRIES`` shows, in the order of their names."""
    counts = rng.integers(0, 2 * MAP_ENTRIES + 1, n)
    chosen = rng.permuted(np.tile(np.arange(SHOWS), (n, 1)), axis=1)
    chosen[np.arange(SHOWS) >= counts[:, None]] = SHOWS
    keys = np.sort(chosen, axis=1)
    keys = keys[keys < SHOWS]
    values = rng.poisson(3, len(keys)) if feature.dtype == "int64" else rng.random(len(keys))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return pa.MapArray.from_arrays(
        pa.array(starts, pa.int32()), pa.array(_shows()[keys], pa.string()), pa.array(values, feature.arrow_type.item_type)
    )


def _lists(values: pa.Array, n: int, null: NDArray[np.bool_] | None = None) -> pa.Array:
    """Cut values into n lists of one length; nulls have none."""
    null = np.zeros(n, np.bool_) if null is None else null
    width = len(values) // max(int((~null).sum()), 1)
    starts = np.concatenate([[0], np.cumsum(np.where(null, 0, width))])
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), values, mask=pa.array(null))


def _shows() -> NDArray[np.object_]:
    return np.array([f"show-{i:03d}" for i in range(SHOWS)], object)


def _seen_live(rng: np.random.Generator, rows: pa.Table) -> pa.Table:
    """Return the rows as the live path has them: some are not there, some have another listener's values."""
    n = len(rows)
    other = np.where(rng.random(n) < DIFFERENT, (np.arange(n) + 1) % n, np.arange(n))
    moved = rows.take(pa.array(other))
    for name in (*MOVED, "shows", "scores"):
        rows = rows.set_column(rows.schema.get_field_index(name), ROW_SCHEMA.field(name), moved.column(name))
    return rows.filter(pa.array(rng.random(n) >= ALONE))
