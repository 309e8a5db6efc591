"""The report page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from contract.features import FEATURES
from contract.home import Home
from lab.outcome import Outcome
from lab.report.plot import quality_plot
from lab.scenario import Scenario
from lab.story import Story
from monitoring.checks import docs_of, docs_page
from monitoring.incident import sliced, suspected
from monitoring.suites import SUITES
from monitoring.verdict import Verdict

MANY_NIGHTS = 32
"""From here on the parity picture leaves out the days' numbers."""


DAMAGE = {
    "listeners": ("listeners hit, last night", "{:.0f}"),
    "share": ("share of all listeners", "{:.1%}"),
    "rows_missing": ("rows that the live path lacks", "{:.0f}"),
    "rows_extra": ("rows that it alone has", "{:.0f}"),
    "ranking_overlap": ("same shows in the first ten", "{:.1%}"),
    "ranking_rbo": ("rank-biased overlap", "{:.3f}"),
    "ranking_score_difference": ("mean of the largest score difference", "{:.4f}"),
    "ranking_changed": ("listeners with another ranking", "{:.1%}"),
    "ndcg_affected": ("NDCG@10 of those hit, as served", "{:.3f}"),
    "ndcg_affected_clean": ("NDCG@10 of the same, clean twin", "{:.3f}"),
    "ndcg_lost": ("quality lost", "{:z.1%}"),
    "minutes_lost_a_day": ("listening minutes lost a day, about", "{:,.0f}"),
    "replay_requests": ("requests replayed offline", "{:.0f}"),
    "replay_served": ("their NDCG@10 as served", "{:.3f}"),
    "replay_trusted": ("the same with trusted features", "{:.3f}"),
    "replay_disparity": ("lost by the features", "{:z.3f}"),
    "replay_drift": ("lost by drift", "{:z.3f}"),
}
"""What a figure of the damage is called on the page, and how it is written."""
ROWS = ("rows_missing", "rows_extra")
"""Only told where there are any."""


@dataclass(frozen=True)
class Cell:
    """One feature on one night: the share of requests beyond tolerance, as text and as a strength from 0 to 1."""

    title: str
    strength: float
    exact: bool


def report_page(home: Home, scenario: Scenario, outcome: Outcome, story: Story | None) -> str:
    """Return the page as HTML: self-contained, no network; links lead to the Data Docs beside it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["told"] = _damage
    environment.filters["suspected"] = suspected
    environment.filters["sliced"] = sliced
    document = outcome.document()
    nights = document["nights"]
    onset = next((i for incident in document["incidents"] for i, n in enumerate(nights) if n["night"] == incident["onset"]), None)
    docs = docs_page(home.reports / "checks")
    return environment.get_template("page.html").render(
        title=scenario.name,
        scenario=scenario,
        document=document,
        nights=nights,
        suites=SUITES,
        story=_story(story),
        plot=quality_plot(nights, onset),
        rows=_parity(outcome),
        dense=len(nights) > MANY_NIGHTS,
        docs=os.path.relpath(docs, home.reports) if docs.exists() else None,
        pages=[_pages(home, night.verdict) for night in outcome.nights],
    )


def _pages(home: Home, verdict: Verdict) -> dict[str, str]:
    """Return where the Data Docs tell of each suite of a night, seen from the report; of parity, the part that differs."""
    requests_alone = verdict.parts.get("requests") and not verdict.parts.get("snapshot")
    runs = dict.fromkeys(SUITES, verdict.night) | ({"parity": f"{verdict.night} requests"} if requests_alone else {})
    found = {suite: docs_of(home.reports / "checks", suite, run) for suite, run in runs.items()}
    return {suite: quote(os.path.relpath(page, home.reports)) for suite, page in found.items() if page is not None}


def _story(story: Story | None) -> list[tuple[str, str]]:
    """Split each line of the story into its head and the rest."""
    lines = story.lines if story else []
    return [(head, rest.strip()) for head, _, rest in (line.partition(" ") for line in lines)]


def _damage(figures: dict[str, float | None]) -> list[tuple[str, str]]:
    known = [(name, value) for name, value in figures.items() if value is not None and (value or name not in ROWS)]
    return [(DAMAGE[name][0], DAMAGE[name][1].format(value)) for name, value in known]


def _parity(outcome: Outcome) -> list[tuple[str, str, list[Cell]]]:
    return [(f.name, f.definition, [_cell(night.verdict.features[f.name]) for night in outcome.nights]) for f in FEATURES]


def _cell(told: dict[str, Any]) -> Cell:
    beyond, exact = told["beyond"], told["exact"]
    if beyond is None:
        return Cell("nothing to compare", 0.0, exact=True)
    strength = beyond**0.5  # so that a few listeners can be seen beside many
    return Cell(f"{beyond:.2%} beyond tolerance, {exact:.2%} exact", strength, exact == 1.0)
