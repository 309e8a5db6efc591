"""``skewlab demo`` and ``skewlab run``: a scenario, its source, its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.home import write_whole
from contract.settings import Settings
from lab.changes import Change
from lab.folder import FolderSource
from lab.plan import plan_of
from lab.progress import progress_of
from lab.scenario import DEMO, Scenario, changed, read_scenario
from lab.skews import Request
from lab.source import Source, WorldSource
from lab.world import World

if TYPE_CHECKING:
    from lab.outcome import Outcome
    from lab.story import Story

BRIEF_USERS = 1_000
"""A simulated world of so many listeners at most is a matter of minutes, and Spark is started for that."""


def run_demo(settings: Settings, seed: int | None) -> tuple[Outcome, Story, Path]:
    """Run the podcast failure; return the outcome, its story and the page."""
    scenario = changed(DEMO, seed=seed)
    outcome = _run(scenario, settings)
    from lab.story import story_of

    asked = Request.parse(scenario.skews[0])
    story = story_of(outcome, asked.day, asked.name)
    return outcome, story, _report(settings, scenario, outcome, story)


def run_file(path: Path, settings: Settings, flags: dict[str, Any]) -> tuple[Outcome, Path]:
    """Run a scenario file with what was given on the command line; return the outcome and the page."""
    scenario = changed(read_scenario(path), **flags)
    outcome = _run(scenario, settings)
    return outcome, _report(settings, scenario, outcome, None)


def _run(scenario: Scenario, settings: Settings) -> Outcome:
    settings = settings.model_copy(update=_of_the_file(scenario, settings))
    plan = plan_of(scenario, _source(scenario, settings))
    with progress_of(plan.source.days) as progress, ThreadPoolExecutor(1, "spark") as pool:
        # Spark takes seconds to start, Great Expectations and the rest to load: one beside the other, and progress is told.
        # PySpark itself is loaded before, in this thread: its modules import each other in circles
        from lab.job import open_job

        job = pool.submit(open_job, settings, brief=scenario.source is None and scenario.users <= BRIEF_USERS)
        from lab.run import run_scenario

        return run_scenario(plan, settings, progress, job)


def _of_the_file(scenario: Scenario, settings: Settings) -> dict[str, Any]:
    """Return what a scenario says of the settings, where neither a flag nor the environment does."""
    said = {"stack": scenario.stack, "step_events": scenario.step_events}
    return {name: value for name, value in said.items() if value is not None and not settings.given(name)}


def _source(scenario: Scenario, settings: Settings) -> Callable[[Sequence[Change]], Source]:
    if scenario.source is None:
        return lambda changes: WorldSource(_world(scenario, changes), scenario.days or 14)
    path = scenario.source.path
    if scenario.source.mapping is None:
        return lambda changes: FolderSource.open(path, scenario.days, changes)
    from lab.importers.table import import_tables

    folder = settings.places.root / "import"
    import_tables(path, scenario.source.mapping, folder, replace=True)
    return lambda changes: FolderSource.open(folder, scenario.days, changes)


def _world(scenario: Scenario, changes: Sequence[Change]) -> World:
    return World(scenario.seed, scenario.users, history_days=scenario.history_days, changes=changes)


def _report(settings: Settings, scenario: Scenario, outcome: Outcome, story: Story | None) -> Path:
    from lab.report import report_page

    page = settings.places.reports / "report.html"
    write_whole(page, report_page(settings.places, scenario, outcome, story).encode())
    return page
