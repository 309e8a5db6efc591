"""The demo's story in six lines, and whether it came out as told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.outcome import Outcome
from monitoring.incident import suspected
from monitoring.suites import SUITES

CLEARLY = 0.05
"""How far the NDCG@10 of the listeners that are hit must fall for the demo's story to be true."""


@dataclass(frozen=True)
class Story:
    """Six lines, and whether what they tell is what the demo promises."""

    lines: list[str]
    as_told: bool


def story_of(outcome: Outcome, onset_day: int, skew: str) -> Story:
    """Tell what happened in a run in which one skew, of that id, began on a day."""
    nights = outcome.document()["nights"]
    found = outcome.document()["incidents"]
    before, after = nights[:onset_day], nights[onset_day:]
    if not found:
        return Story(["Nothing was found: no night's parity failed."], as_told=False)
    incident = found[0]
    green = sum(night["operations"] == "pass" for night in nights)
    lost, minutes = (incident["damage"][name] or 0.0 for name in ("ndcg_lost", "minutes_lost_a_day"))
    lines = [
        f"When    it began on day {onset_day}: the first night that differs is {incident['onset'][:10]}.",
        f"Green   the operations suite passed on {green} of {len(nights)} nights.",
        f"Seen    {_seen(nights, onset_day)}.",
        f"What    {', '.join(incident['features'])}; {incident['damage']['listeners']:.0f} listeners on the last night.",
        f"Who     {suspected(incident['suspect'])}.",
        f"Cost    NDCG@10 of the listeners hit: {_text(incident['damage']['ndcg_affected'])} for "
        f"{_text(incident['damage']['ndcg_affected_clean'])} without the skew, {lost:z.1%} lost: "
        f"about {minutes:,.0f} listening minutes a day among {nights[-1]['listeners']} listeners.",
    ]
    as_told = (
        len(found) == 1
        and green == len(nights)
        and all(night["parity"] == "pass" for night in before)
        and all(night["parity"] == "fail" for night in after)
        and lost >= CLEARLY
        and incident["suspect"]["skew"] == skew
    )
    return Story(lines, as_told)


def _seen(nights: list[dict[str, Any]], onset_day: int) -> str:
    told = []
    for suite in SUITES:
        failed = [day for day, night in enumerate(nights) if night[suite] == "fail" and day >= onset_day]
        told.append(f"{suite} {f'on day {failed[0]}' if failed else 'never'}")
    return ", ".join(told)


def _text(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
