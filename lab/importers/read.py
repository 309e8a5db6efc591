"""Tables as text: CSV and Parquet files in which nothing is guessed, every value a string and ``""`` what is missing.

A reader that guesses types makes ``007`` a 7, a country code ``NA`` a gap, and two listeners one.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from contract.errors import UsageError
from contract.windows import SECOND_MS, parse_instant
from lab.importers.mapping import MS, Time

EARLIEST_MS, LATEST_MS = parse_instant("1990-01-01"), parse_instant("2100-01-01")
"""Nothing was listened to outside: such a time was read in the wrong unit."""


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read a file below a folder.

    Raises:
        UsageError: it lies elsewhere, cannot be read, or has rows of another length than its head.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", f"{name} is looked for in it", f"Name the folder that holds {name}")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UsageError(f"The mapping names '{name}'", "it lies outside the data's folder", "Name files below it")
    try:
        table = pq.read_table(path) if path.suffix == ".parquet" else _csv(path)
    except FileNotFoundError as error:
        raise UsageError(f"There is no {name} in the folder {folder}", "", "Name the folder that holds it") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"{name} cannot be read", why, "Give a UTF-8 CSV with commas, or a Parquet file") from error
    return pd.DataFrame({column: _text(table.column(column)) for column in table.column_names}, dtype=object)


def _csv(path: Path) -> pa.Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        head = next(csv.reader(file), [])
    if len(set(head)) < len(head):
        raise ValueError("two of its columns have the same name")
    options = pa.csv.ConvertOptions(column_types=dict.fromkeys(head, pa.string()), strings_can_be_null=False)
    return pa.csv.read_csv(path, parse_options=pa.csv.ParseOptions(newlines_in_values=True), convert_options=options)


def _text(column: pa.ChunkedArray) -> list[str]:
    """Write values as text; whole numbers without a fraction."""
    if pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = column.cast(pa.int64())
    return [str(value) for value in column.cast(pa.string()).fill_null("").to_pylist()]


def column_of(frame: pd.DataFrame, name: str, what: str) -> pd.Series:
    """Return a column.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in frame.columns:
        known = ", ".join(column for column in map(str, frame.columns) if not column.startswith("_"))
        raise UsageError(f"There is no column '{name}' for {what}", f"the table has {known}", "Mend the mapping")
    return frame[name]


def numbers(column: pd.Series) -> pd.Series:
    """Read text as float64, NaN where it is no finite number."""
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    return values.where(np.isfinite(values))


def milliseconds(frame: pd.DataFrame, time: Time, what: str) -> pd.Series:
    """Read a column of durations or instants in its unit as float64 milliseconds, NaN where it is none."""
    column = column_of(frame, time.column, what)
    if time.unit == "iso":
        parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
        return (parsed - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(milliseconds=1)
    return numbers(column) * MS[time.unit]


def instants(frame: pd.DataFrame, time: Time, what: str) -> pd.Series:
    """Read a column of instants, NaN where it is none of this time and age.

    Raises:
        UsageError: the median lies outside: the unit was guessed wrong.
    """
    values = milliseconds(frame, time, what)
    if frame[time.column].str.strip().any():
        _require(values, time, what, EARLIEST_MS, LATEST_MS, "nobody listened then")
    return values.where((values >= EARLIEST_MS) & (values < LATEST_MS))


def durations(frame: pd.DataFrame, time: Time, what: str, longest_ms: int) -> pd.Series:
    """Read a column of durations, NaN where it is none.

    Raises:
        UsageError: the median is under a second or over ``longest_ms``: the unit was guessed wrong.
    """
    values = milliseconds(frame, time, what)
    if frame[time.column].str.strip().any():
        _require(values, time, what, SECOND_MS, longest_ms, "no listening is that short or long")
    return values


def _require(values: pd.Series, time: Time, what: str, least: int, most: int, why: str) -> None:
    median = float(values.median()) if values.notna().any() else float("nan")
    if not least <= median <= most:
        others = ", ".join(unit for unit in (*MS, "iso") if unit != time.unit)
        raise UsageError(
            f"The median of {what} is {median:g} ms with unit '{time.unit}' for column '{time.column}'",
            why,
            f"Try another unit: {others}",
        )
