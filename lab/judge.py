"""``skewlab monitor``: one night judged by itself."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from contract.features import BY_NAME
from contract.settings import Settings
from lab.inquiry import inquired, tell
from lab.job import open_job
from monitoring.checks import Checks
from monitoring.incident import incidents, suspected, write_incidents
from monitoring.monitor import monitor
from monitoring.night import published
from monitoring.suites import SUITES
from monitoring.verdict import Verdict, read_verdicts


@dataclass(frozen=True)
class Told:
    """What the command says, and how it ends."""

    text: list[str]
    exit_code: int


def judge_night(settings: Settings, as_of_ms: int) -> tuple[bytes, Told]:
    """Judge a night of the home, keep the verdict, bring the incidents up to date.

    Raises:
        CannotJudge: the night was not run, or the live path left nothing of it.
    """
    home = settings.places
    published(home, as_of_ms)  # whether there is anything to judge, before Spark starts
    job = open_job(settings)
    checks = Checks(home.reports / "checks")
    verdict = monitor(job, home, checks, as_of_ms)
    page = checks.build_docs()
    verdicts = read_verdicts(home)
    every = incidents(verdicts)
    mine = [one for one in every if one.onset <= verdict.night <= (one.recovered or one.last_seen)]
    found = inquired(job, home, mine, [one.at_ms for one in verdicts], settings.step_events)
    paths = write_incidents(home, found)
    tell(settings, verdicts, [next((one for one in found if one.onset == incident.onset), incident) for incident in every])
    lines = [_judged(verdict, name) for name in SUITES]
    lines += [f"features      {', '.join(verdict.alarmed)}"] if verdict.alarmed else []
    lines += [f"suspect       {suspected(msgspec.to_builtins(incident.suspect))}" for incident in found]
    lines += [f"incident      {path}" for path in paths] + [f"data docs     {page}"]
    return msgspec.json.encode(verdict), Told(lines, verdict.exit_code)


def _judged(verdict: Verdict, suite: str) -> str:
    """Say how a suite came out, and over what it failed beside features."""
    over = [column.strip("_").replace("_", " ") for column in verdict.failed.get(suite, []) if column not in BY_NAME]
    return f"{suite:<13} {getattr(verdict, suite)}" + (f": {', '.join(over)}" if over else "")
