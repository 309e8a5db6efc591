"""Small words that English asks for: how often, how much, when, this and that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

_TIMES = {1: "once", 2: "twice"}


def often(times: int) -> str:
    """Say how often: once, twice, 3 times."""
    return _TIMES.get(times, f"{times:,} times")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say a number of things: 1 day, 2 days."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Say a share in whole per cent, never 0 % of what there is and never 100 % of what is not all."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence: this, that and those."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def day(instant_ms: int) -> str:
    """Say the date of an instant, UTC: 5 January 2026."""
    date = datetime.fromtimestamp(instant_ms / 1000, UTC)
    return f"{date.day} {date:%B %Y}"


def moment(instant_ms: int) -> str:
    """Say the date and time of an instant, UTC: 5 January 2026, 17:30 UTC."""
    return f"{day(instant_ms)}, {datetime.fromtimestamp(instant_ms / 1000, UTC):%H:%M} UTC"
