"""What all monitors of ``skewlab bench detect`` look at, and what they say: cases as files, findings as records.

The monitors of others read plain columns: numbers, texts, one column a component of a vector. A case is a folder with two files a
night (Parquet), the batch path's rows and the live path's. The clean nights before, its reference, are shared by a world's cases.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa

from contract.errors import InfrastructureError
from contract.features import FEATURES, Feature
from lab.stack.kafka import last_line

PEERS = Path(__file__).with_name("detect_peers.py")
QUIET = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1", "PYTHONWARNINGS": "ignore"}
"""Evidently and NannyML send usage statistics home unless they are told not to."""


class Case(msgspec.Struct, frozen=True):
    """Nights of a world with one skew or none: (night, file of the batch path's rows, file of the live path's)."""

    name: str
    reference: tuple[Path, ...]
    """Files of the batch path's rows of the clean nights before, in their order."""
    nights: tuple[tuple[str, Path, Path], ...]


class Found(msgspec.Struct, frozen=True):
    """What a monitor says of a night: whether it raises an alarm, the columns that it names, and how long it took (s)."""

    case: str
    night: str
    monitor: str
    alarm: bool
    columns: tuple[str, ...]
    seconds: float


def flat(table: pa.Table) -> pd.DataFrame:
    """Return the features of rows as columns of numbers and texts.

    A vector becomes ``NAME_00``, ``NAME_01`` and so on, empty where it is null; a map its mean value and its size.
    """
    return pd.concat([_columns(feature, table.column(feature.name)) for feature in FEATURES], axis="columns")


def write_reference(folder: Path, nights: Iterable[tuple[str, pa.Table]]) -> tuple[Path, ...]:
    """Write the batch path's rows of clean nights, in their order."""
    return tuple(_written(folder / f"{night}.parquet", rows) for night, rows in nights)


def write_case(folder: Path, name: str, reference: Sequence[Path], nights: Iterable[tuple[str, pa.Table, pa.Table]]) -> Case:
    """Write a case into its own folder below ``folder``. Of each night: its name, the batch path's rows, the live path's."""
    place = folder / name
    files = (
        (night, _written(place / f"{night}-batch.parquet", batch), _written(place / f"{night}-live.parquet", live))
        for night, batch, live in nights
    )
    return Case(name, tuple(reference), tuple(files))


def ask_peers(python: Path, cases: Sequence[Case], log: Path) -> Iterator[Found]:
    """Let the monitors of others look at cases, with the Python of their environment; yield what they say as they say it.

    Raises:
        InfrastructureError: they stopped; all that they wrote is in ``log``.
    """
    command, pipe = [str(python), "-P", str(PEERS)], subprocess.PIPE
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, cwd=log.parent, env={**os.environ, **QUIET})
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError):  # it stopped before it read them: its exit code tells
                process.stdin.write(msgspec.json.encode(cases, enc_hook=str))
                process.stdin.close()
            for line in process.stdout:
                yield msgspec.json.decode(line, type=Found)
            code = process.wait()
        finally:
            process.kill()
    if code:
        said = last_line(log.read_text(errors="replace")) or f"exit code {code}"
        raise InfrastructureError("The monitors of others stopped", said, f"Their log is {log}")


def _written(path: Path, rows: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    flat(rows).to_parquet(path, index=False)
    return path.resolve()


def _columns(feature: Feature, column: pa.ChunkedArray) -> pd.DataFrame:
    if feature.kind == "vector":
        return pd.DataFrame([value or [] for value in column.to_pylist()]).rename(columns=lambda i: f"{feature.name}_{i:02d}")
    if feature.kind == "map":
        values = [None if entries is None else [value for _, value in entries] for entries in column.to_pylist()]
        means = [sum(found) / len(found) if found else None for found in values]
        sizes = [None if found is None else len(found) for found in values]
        return pd.DataFrame({f"{feature.name}_mean": means, f"{feature.name}_size": sizes}, dtype="float64")
    return column.to_pandas().to_frame(feature.name)
