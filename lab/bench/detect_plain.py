"""The two monitors of ``skewlab bench detect`` that need no tool of others: a null-and-range suite, and a mismatch rate.

``null-and-range``   what a careful team expects of its features, run by Great Expectations on the live rows: nulls, ranges and
                     categories as on the clean nights before, about as many rows
``exact-mismatch``   after Chronon's measure of consistency between online and offline: both paths' rows joined on their keys,
                     the share of rows that differ for each feature, and of those that one path has alone
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
from great_expectations import expectations as gxe

from batch.listens import REQUEST
from contract.features import NAMES
from lab.bench.detect_frames import Case, Found
from monitoring.compare import align, equal

NULL_MARGIN = 0.01
"""The share of nulls may be so much above the highest of the clean nights."""
IN_RANGE = 0.99
"""So many values lie between the least and the largest of the clean nights: a listener may always set a new record."""
RETRAINED = "user_vector"
"""Its components turn whenever item vectors are trained anew, so no range is learned for them."""
ROWS_MARGIN = 0.1
"""The count of rows may be this part above or below the mean of the clean nights."""
MISMATCH = 0.01
"""Nobody who runs such a comparison has published a limit; 1 % is what the bench takes unless it is told otherwise."""


class NullAndRange:
    """The suite for one reference, the batch path's rows of clean nights."""

    def __init__(self, nights: Sequence[pd.DataFrame]) -> None:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        asset = context.data_sources.add_pandas("live").add_dataframe_asset("rows")
        self._batch = asset.add_batch_definition_whole_dataframe("night")
        self._columns = pd.concat(nights).columns
        self._suite = gx.ExpectationSuite(name="null-and-range", expectations=expectations(nights))

    def failed(self, live: pd.DataFrame) -> tuple[bool, tuple[str, ...]]:
        """Tell whether anything fails, and for which columns."""
        rows = live.reindex(columns=self._columns)
        result = self._batch.get_batch(batch_parameters={"dataframe": rows}).validate(self._suite)
        broken = [one.expectation_config.kwargs.get("column") for one in result.results if not one.success]
        return not result.success, tuple(dict.fromkeys(column for column in broken if column is not None))


def expectations(nights: Sequence[pd.DataFrame]) -> list[Any]:
    """Return what the clean nights lead a team to expect, column by column. Columns without any value are left out."""
    everything = pd.concat(nights, ignore_index=True)
    rows = len(everything) / len(nights)
    found: list[Any] = [
        gxe.ExpectTableRowCountToBeBetween(min_value=int(rows * (1 - ROWS_MARGIN)), max_value=int(rows * (1 + ROWS_MARGIN)) + 1)
    ]
    for name in everything.columns[everything.notna().any()]:
        column = everything[name]
        nulls = max(float(night[name].isna().mean()) for night in nights if name in night)
        found.append(gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=max(0.0, 1 - nulls - NULL_MARGIN)))
        if not pd.api.types.is_numeric_dtype(column):
            found.append(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=sorted(column.dropna().unique())))
        elif not name.startswith(RETRAINED):
            least, largest = column.min(), column.max()
            found.append(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=least, max_value=largest, mostly=IN_RANGE))
    return found


def null_and_range(cases: Sequence[Case]) -> Iterator[Found]:
    """Yield what the suite says of each night of each case; it is written once for each reference."""
    suites: dict[tuple[Any, ...], NullAndRange] = {}
    for case in cases:
        if case.reference not in suites:
            suites[case.reference] = NullAndRange([pd.read_parquet(path) for path in case.reference])
        for night, _, live in case.nights:
            rows = pd.read_parquet(live)
            begin = perf_counter()
            alarm, columns = suites[case.reference].failed(rows)
            yield Found(case.name, night, "null-and-range", alarm, columns, perf_counter() - begin)


def exact_mismatch(case: str, night: str, batch: pa.Table, live: pa.Table, limit: float = MISMATCH) -> Found:
    """Return which features differ, without tolerance, on more than ``limit`` of the joined rows.

    ``missing`` and ``extra`` stand among the columns where the live path lacks more than that share of the batch path's
    requests, or answers requests that the batch path has not.

    Raises:
        CannotJudge: the batch path has two rows of one request.
    """
    begin = perf_counter()
    pair = align(batch, live, REQUEST)
    rates = {name: float(np.mean(~equal(pair, name))) if len(pair) else 0.0 for name in NAMES}
    asked = max(len(batch), 1)
    rates |= {"missing": len(pair.missing) / asked, "extra": len(pair.extra) / asked}
    columns = tuple(name for name, rate in rates.items() if rate > limit)
    return Found(case, night, "exact-mismatch", bool(columns), columns, perf_counter() - begin)
