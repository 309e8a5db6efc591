"""Drift monitors that people use today, asked about cases: Evidently and NannyML, each by its own quick start.

Runs in an environment of its own (``requirements/peers.txt``), so it imports nothing of Skewlab. Standard input is a list of
cases (``detect_frames.Case``), standard output one line for each case, night and monitor (``detect_frames.Found``):

``evidently``                 live rows against the batch path's of the same night; its own verdict: half of the columns drifted
``evidently-any-column``      the same report; an alarm where any column drifted
``nannyml``                   live rows against the clean nights before, a chunk a night; an alarm where any column alerts
``nannyml-majority``          the same alerts; an alarm where half of the columns alert: Evidently's rule, NannyML itself has none
``nannyml-reconstruction``    the same nights by its multivariate drift, which names no column

Limits and methods are the tools' defaults. The pictures of Evidently's report are not drawn: they take four fifths of its time
and have no part in its verdict.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from time import perf_counter
from typing import Any
from unittest.mock import patch

import nannyml  # type: ignore[import-not-found]
import pandas as pd
from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
from evidently.metrics.column_statistics import ValueDriftCalculation  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]

Verdicts = dict[str, tuple[bool, list[str]]]
"""By monitor: whether it raises an alarm, and the columns that it names."""
HALF = 0.5
NIGHT = "night"
FIRST = pd.Timestamp("2026-01-01")
"""NannyML cuts chunks by a timestamp: the nights of a reference are days from here on, whatever they are called."""


def main() -> None:
    """Read cases, ask all monitors about each night, write what they say."""
    cases, answers = json.load(sys.stdin), sys.stdout
    with redirect_stdout(sys.stderr):
        for case in cases:
            reference = tuple(case["reference"])
            for night, batch, live in case["nights"]:
                for monitor, alarm, columns, seconds in asked(reference, batch, live):
                    told = {"monitor": monitor, "alarm": alarm, "columns": columns, "seconds": seconds}
                    print(json.dumps({"case": case["name"], "night": night, **told}), file=answers, flush=True)


def asked(reference: tuple[str, ...], batch: str, live: str) -> Iterator[tuple[str, bool, list[str], float]]:
    """Yield each monitor's name, alarm, columns and time (s); what a monitor learns beforehand is not timed."""
    expected, clean = pd.read_parquet(batch), learned(reference)
    served = pd.read_parquet(live)
    monitors: list[Callable[[], Verdicts]] = [
        lambda: evidently(expected, served.reindex(columns=expected.columns)),
        lambda: clean.univariate(served),
        lambda: clean.reconstruction(served),
    ]
    for monitor in monitors:
        begin = perf_counter()
        found = monitor()
        seconds = perf_counter() - begin
        for name, (alarm, columns) in found.items():
            yield name, alarm, columns, seconds


def evidently(reference: pd.DataFrame, live: pd.DataFrame) -> Verdicts:
    """Run the data-drift preset. It stops at a column without any value: who runs it sees that, so it counts as an alarm."""
    columns = filled(reference)
    empty = [column for column in columns if live[column].isna().all()]
    told = [column for column in columns if column not in empty]
    drifted, verdict = _drifted(reference[told], live[told]) if told else ([], False)
    names = [*empty, *drifted]
    return {"evidently": (verdict or bool(empty), names), "evidently-any-column": (bool(names), names)}


def _drifted(reference: pd.DataFrame, live: pd.DataFrame) -> tuple[list[str], bool]:
    """Return the columns that drifted, and whether that is enough of them for the data set to have drifted."""
    texts = [column for column in reference if is_text(reference[column])]
    numbers = [column for column in reference if column not in texts]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    current, before = (Dataset.from_pandas(frame, data_definition=definition) for frame in (live, reference))
    with undrawn():
        tests = Report([DataDriftPreset()], include_tests=True).run(current, before).dict()["tests"]
    failed = [test["metric_config"]["params"] for test in tests if test["status"] == "FAIL"]
    columns = [params["column"] for params in failed if "column" in params]
    return columns, len(columns) < len(failed)


@contextmanager
def undrawn() -> Iterator[None]:
    """Let Evidently judge without drawing anything."""

    def nothing(*_: object) -> list[object]:
        return []

    with patch.object(DataDriftPreset, "render", nothing), patch.object(ValueDriftCalculation, "_render", nothing):
        yield


class Clean:
    """NannyML's two detectors of drift, fitted on clean nights: a chunk a night, limits learned from the chunks."""

    def __init__(self, nights: list[pd.DataFrame]) -> None:
        dated = [night.assign(**{NIGHT: FIRST + pd.Timedelta(days=day)}) for day, night in enumerate(nights)]
        self._next = FIRST + pd.Timedelta(days=len(nights))
        reference = pd.concat(dated, ignore_index=True)
        self._columns = filled(reference.drop(columns=NIGHT))
        options: dict[str, Any] = {"column_names": self._columns, "timestamp_column_name": NIGHT, "chunk_period": "D"}
        self._univariate = nannyml.UnivariateDriftCalculator(**options).fit(reference)
        self._reconstruction = nannyml.DataReconstructionDriftCalculator(**options).fit(reference)

    def univariate(self, live: pd.DataFrame) -> Verdicts:
        """Return the columns whose distance to the reference is above what the clean nights taught."""
        if live.empty:  # it stops: there is nothing to look at
            return {"nannyml": (True, []), "nannyml-majority": (True, [])}
        alerts = self._chunk(self._univariate, live).xs("alert", level=-1).eq(True)
        columns = [str(column) for column, _ in alerts.index[alerts]]
        return {"nannyml": (bool(columns), columns), "nannyml-majority": (len(columns) >= HALF * len(alerts), columns)}

    def reconstruction(self, live: pd.DataFrame) -> Verdicts:
        """Tell whether the columns go together as on the clean nights."""
        alarm = live.empty or bool(self._chunk(self._reconstruction, live)["reconstruction_error", "alert"])
        return {"nannyml-reconstruction": (alarm, [])}

    def _chunk(self, calculator: Any, live: pd.DataFrame) -> pd.Series[Any]:
        rows = live.reindex(columns=self._columns).assign(**{NIGHT: self._next})
        return calculator.calculate(rows).filter(period="analysis").to_df().iloc[-1]


@lru_cache(maxsize=1)
def learned(reference: tuple[str, ...]) -> Clean:
    """Fit on the nights of a world; the cases of one world come one after the other."""
    return Clean([pd.read_parquet(path) for path in reference])


def filled(frame: pd.DataFrame) -> list[str]:
    """Return the columns with any value: both tools ask for no others."""
    return [column for column in frame if frame[column].notna().any()]


def is_text(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds texts."""
    return not pd.api.types.is_numeric_dtype(column)


if __name__ == "__main__":
    main()
