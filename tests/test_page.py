"""The report in a browser: it is all there, it asks the network for nothing, and it reads on a narrow screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.features import NAMES
from contract.home import Home
from lab.outcome import NightOutcome, Outcome, Quality
from lab.report import report_page
from lab.scenario import Scenario
from lab.story import story_of
from monitoring.incident import incidents
from monitoring.verdict import Verdict
from tests.chromium import find_chromium, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium"),
]
HIT = "show_completion_28d"
ONSET = 2
HALF: dict[str, float | None] = {"exact": 0.5, "beyond": 0.5}
WHOLE: dict[str, float | None] = {"exact": 1.0, "beyond": 0.0}


def night(day: int) -> NightOutcome:
    """A night of a failure that begins on day 2."""
    bad = day >= ONSET
    verdict = Verdict(
        night=f"2026-01-{day + 6:02d}T00:00:00Z",
        operations="pass",
        distribution="pass",
        parity="fail" if bad else "pass",
        ranking="fail" if bad else "pass",
        exact=not bad,
        ranking_required=True,
        version="initial",
        listeners=2,
        requests=3,
        missing=0,
        extra=0,
        affected=["ann"] if bad else [],
        alarmed=[HIT] if bad else [],
        failed={"parity": [HIT]} if bad else {},
        features={name: HALF if bad and name == HIT else WHOLE for name in NAMES},
        distances={},
        rankings={"rbo": 0.8 if bad else 1.0},
        segments=[],
    )  # fmt: skip
    return NightOutcome(verdict, Quality({"ann": 0.6 if bad else 0.8, "bob": 0.7}, {"ann": 0.8, "bob": 0.7}))


DOCS = "reports/checks/gx/uncommitted/data_docs/local_site/validations/parity/2026-01-08T00:00:00Z/a/parity-parity.html"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nights = [night(day) for day in range(5)]
    outcome = Outcome("<b>toy</b>", 7, nights, incidents([one.verdict for one in nights]))
    folder = tmp_path_factory.mktemp("report")
    scenario = Scenario(name="<b>toy</b>", skews=("podcast-resume@2",))
    page = folder / "report.html"
    docs = folder / DOCS
    docs.parent.mkdir(parents=True)
    docs.write_text("what parity expected")
    page.write_text(report_page(Home(folder), scenario, outcome, story_of(outcome, ONSET, "podcast-resume")))
    return page


def test_everything_that_happened_is_on_the_page(report: Path) -> None:
    with opened(report) as page:
        assert page.title() == "Skewlab: <b>toy</b>"
        assert page.locator(".story li").count() == 6
        assert page.locator("table").first.locator("tbody tr").count() == 5
        assert page.locator(".fail").count() == 6, "parity and ranking on three nights"
        assert page.locator(".picture tbody tr").count() == len(NAMES)
        assert page.locator("svg").count() == 1
        assert "2026-01-08" in page.locator("h2", has_text="Incident").inner_text()


def test_an_outcome_leads_to_what_was_expected_of_the_night(report: Path) -> None:
    with opened(report) as page:
        links = page.locator("table a")
        assert links.count() == 1, "the Data Docs have one page"
        assert links.first.inner_text() == "fail"
        assert (links.first.get_attribute("href") or "").endswith("2026-01-08T00%3A00%3A00Z/a/parity-parity.html")


def test_it_asks_for_nothing_but_itself(report: Path) -> None:
    with opened(report) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        assert asked == [report.resolve().as_uri()]


def test_a_hit_feature_is_marked_and_says_how_far(report: Path) -> None:
    with opened(report) as page:
        cells = page.locator(".picture tr", has_text=HIT).first.locator("td")
        assert [("50.00%" in (cells.nth(i).get_attribute("title") or "")) for i in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize("width", [390, 1160])
def test_no_screen_is_too_narrow(report: Path, width: int) -> None:
    with opened(report, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
