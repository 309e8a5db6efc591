"""Instants, and the windows that end at them.

Every instant is an int64 count of milliseconds since 1970-01-01 UTC. Windows are half-open and hop: a window of ``w`` hours at
``T`` is ``[floor_hour(T) - w, T)`` and one of ``d`` days ``[floor_day(T) - d days, T)``, the sawtooth windows of Chronon
(airbnb/chronon, "authoring features / GroupBy"). A moving head and a hopping tail let a store keep closed tiles and still
answer for any instant.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contract.errors import UsageError

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def floor_hour(at_ms: int) -> int:
    """Return the start of the UTC hour that holds ``at_ms``."""
    return at_ms - at_ms % HOUR_MS


def floor_day(at_ms: int) -> int:
    """Return the midnight UTC at or before ``at_ms``."""
    return at_ms - at_ms % DAY_MS


def hours_start(at_ms: int, hours: int) -> int:
    """Return the first millisecond of the window of ``hours`` at ``at_ms``."""
    return floor_hour(at_ms) - hours * HOUR_MS


def days_start(at_ms: int, days: int) -> int:
    """Return the first millisecond of the window of ``days`` at ``at_ms``."""
    return floor_day(at_ms) - days * DAY_MS


def calendar_day(at_ms: int, offset_min: int) -> int:
    """Return the number of the calendar day that holds ``at_ms`` where clocks stand ``offset_min`` ahead of UTC."""
    return (at_ms + offset_min * MINUTE_MS) // DAY_MS


def yesterday(at_ms: int, offset_min: int) -> tuple[int, int]:
    """Return ``[start, end)`` of the last whole calendar day before ``at_ms``."""
    end = calendar_day(at_ms, offset_min) * DAY_MS - offset_min * MINUTE_MS
    return end - DAY_MS, end


def iso(at_ms: int) -> str:
    """Write an instant as outputs show it: ``2026-01-08T00:00:00Z`` (with milliseconds where there are any)."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    fraction = f".{at_ms % 1000:03d}" if at_ms % 1000 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def iso_date(at_ms: int) -> str:
    """Write the UTC day that holds ``at_ms``: ``2026-01-08``."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d}"


def parse_instant(text: str) -> int:
    """Read ``2026-01-08`` or an ISO instant (UTC where no zone is given) as epoch milliseconds.

    Raises:
        UsageError: the text is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"'{text}' is no date", "", "Write it as 2026-01-08 or 2026-01-08T00:00:00Z") from error
