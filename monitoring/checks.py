"""Running the suites: Great Expectations, one checkpoint a suite, results kept for the Data Docs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx

from contract.errors import CannotJudge
from monitoring.limits import DEFAULTS, Limits
from monitoring.measures import MAIN
from monitoring.suites import all_suites

Outcome = Literal["pass", "fail", "unjudged"]


@dataclass(frozen=True)
class Judged:
    """A suite's outcome, and the expectations that failed: (column, what was expected)."""

    outcome: Outcome
    failed: tuple[tuple[str, str], ...] = ()


class Checks:
    """The suites of a home, ready to be run night by night."""

    def __init__(self, folder: Path) -> None:
        """Open the context in ``folder``; Data Docs go below it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._context = gx.get_context(mode="file", project_root_dir=folder)
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        self._limits = DEFAULTS
        self._checkpoints = self._made(DEFAULTS)

    def judge(self, frames: Mapping[str, Mapping[str, pd.DataFrame]], run: str, limits: Limits = DEFAULTS) -> dict[str, Judged]:
        """Validate each suite's frames, by part: it fails where one of them does, and is not judged without the main one.

        Raises:
            CannotJudge: a suite has no expectation.
        """
        if limits != self._limits:
            self._limits, self._checkpoints = limits, self._made(limits)
        return {name: self._judge(name, parts, run) for name, parts in frames.items()}

    def build_docs(self) -> Path:
        """Build the Data Docs of all that was judged; return their first page."""
        self._context.build_data_docs()
        return docs_page(self._folder)

    def _judge(self, name: str, frames: Mapping[str, pd.DataFrame], run: str) -> Judged:
        results = [self._validate(name, frame, f"{run} {part}".strip()) for part, frame in frames.items() if len(frame)]
        failed = tuple(dict.fromkeys(one for _, failures in results for one in failures))
        if not all(good for good, _ in results):
            return Judged("fail", failed)
        return Judged("pass" if len(frames[MAIN]) else "unjudged")

    def _validate(self, name: str, frame: pd.DataFrame, run: str) -> tuple[bool, list[tuple[str, str]]]:
        """Run a suite's checkpoint; return whether it passed, and what failed."""
        checkpoint = self._checkpoints[name]
        result = checkpoint.run(batch_parameters={"dataframe": frame}, run_id=gx.RunIdentifier(run_name=run))
        validated = [one for validation in result.run_results.values() for one in validation.results]
        if not validated:
            raise CannotJudge(f"The suite '{name}' evaluated nothing", "", "Look at its expectations")
        kinds = [
            (str(one.expectation_config.kwargs.get("column", "")), one.expectation_config.type)
            for one in validated
            if not one.success
        ]
        return bool(result.success), kinds

    def _made(self, limits: Limits) -> dict[str, Any]:
        """Put each suite's checkpoint together, with what is borne."""
        return {name: self._checkpoint(name, suite) for name, suite in all_suites(limits).items()}

    def _checkpoint(self, name: str, suite: Any) -> Any:
        context = self._context
        asset = context.data_sources.add_or_update_pandas(name).add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe("night")
        suite = context.suites.add_or_update(suite)
        definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        definition = context.validation_definitions.add_or_update(definition)
        return context.checkpoints.add_or_update(
            gx.Checkpoint(name=name, validation_definitions=[definition], result_format={"result_format": "BASIC"})
        )


def docs_of(folder: Path, suite: str, run: str) -> Path | None:
    """Return the page on which a folder's Data Docs tell of one run of a suite; None where there is none.

    It can be read without a network, which the list of all pages on the first one cannot.
    """
    return next(iter(sorted((docs_page(folder).parent / "validations" / suite / run).glob("**/*.html"))), None)


def docs_page(folder: Path) -> Path:
    """Return where the first page of a folder's Data Docs is."""
    return folder / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"
