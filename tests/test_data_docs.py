"""The Data Docs, in a browser: what failed, in words that one understands."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from contract.features import NAMES
from monitoring.checks import Checks
from monitoring.measures import MAIN, UNMATCHED
from tests.chromium import find_chromium, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine"),
]
HIT = "podcast_completion_28d"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a night on which one feature differs for half of the listeners."""
    checks = Checks(tmp_path_factory.mktemp("checks"))
    night = pd.DataFrame([{**dict.fromkeys(NAMES, 0.0), UNMATCHED: 0.0, HIT: 0.5}])
    assert checks.judge({"parity": {MAIN: night}}, "2026-01-07")["parity"].outcome == "fail"
    return checks.build_docs().parent


def test_a_failed_expectation_is_a_sentence_with_what_was_seen(site: Path) -> None:
    (result,) = site.glob("validations/parity/**/*.html")
    with opened(result) as page:
        told = page.inner_text("body")
    assert "Status: Failed" in told
    assert f"{HIT} differs beyond 1e-06 on none of the requests" in told
    assert "0.5" in told.split(f"{HIT} differs")[1][:80]
    assert "expect_column" not in told


def test_the_suites_page_tells_what_a_feature_is_and_whose(site: Path) -> None:
    with opened(site / "expectations" / "parity.html") as page:
        told = page.inner_text("body")
    assert "mean over episodes with a known duration" in told
    assert "owner: podcasts" in told
