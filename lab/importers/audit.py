"""What a listener can learn of their own data before it is used: what is kept, what is dropped, and what the kept part tells.

What is dropped cannot be read any more, but what is kept can be read closely: the hours alone say where somebody lives, when
they sleep and what their weekends are like.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.event import DEVICES, KINDS, Events
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, iso_date
from lab.importers.bounds import shown
from lab.importers.taken import Fields, Taken
from lab.importers.zone import Zone, home_zone

MONDAY = 3
"""The first of January 1970 was a Thursday: (day + 3) mod 7 is 0 on Mondays."""


@dataclass(frozen=True)
class Audit:
    """The finished audit: ``zone`` is None where there are too few days, or several listeners."""

    rows: int
    fields: Fields
    kinds: dict[str, dict[str, Any]]
    zone: Zone | None
    routines: dict[str, dict[str, Any]]
    hours: list[int]
    countries: dict[str, int]
    devices: dict[str, int]
    first: str
    last: str

    @property
    def clock(self) -> str:
        """The clock by which hours and weekdays are told."""
        return "UTC" if self.zone is None else f"UTC{self.zone.utc_offset_hours:+d}"

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "fields": {"kept": _named(self.fields.used), "dropped": _named(self.fields.dropped)},
            "kinds": self.kinds,
            "inferred": {
                "home_zone": None if self.zone is None else {**vars(self.zone), "sure": self.zone.sure},
                "clock": self.clock,
                "hours": self.hours,
                **self.routines,
                "countries": self.countries,
                "devices": self.devices,
                "first_day": self.first,
                "last_day": self.last,
            },
        }

    def lines(self) -> list[str]:
        """Return it for people."""
        fields = [("kept", self.fields.used), ("dropped", self.fields.dropped)]
        return [
            f"Fields, and how many of {self.rows} rows had a value:",
            *(f"  {count:>6}  {what:<7}  {name}" for what, found in fields for name, count in _named(found).items()),
            "What was listened to:",
            *(
                f"  {kind:<8}  {part['listens']:,} listens, {part['minutes']:,.1f} minutes, {part['share']:.0%} of the time"
                for kind, part in self.kinds.items()
            ),
            "What the kept fields tell:",
            f"  home      {self._home()}",
            *(f"  {name:<8}  {_routine(part)} ({self.clock})" for name, part in self.routines.items()),
            f"  country   {_listed(self.countries)}",
            f"  device    {_listed(self.devices)}",
            f"  days      {self.first} to {self.last}",
        ]

    def _home(self) -> str:
        if self.zone is None:
            return "nothing is said: too few days with listens, or several listeners"
        seen = f"{self.zone.night_share:.0%} of the listens at its night, {self.zone.agreement:.0%} of the redraws agree"
        return f"clocks at {self.clock}, sure: {self.zone.sure} ({seen}); who sleeps late looks further west"


def audit_of(taken: Taken) -> Audit:
    """Look at an import as its owner, or a stranger, could. ``taken`` has at least one event."""
    events = taken.events
    zone = home_zone(events.ts_ms) if taken.report.listeners == 1 else None
    local_ms = events.ts_ms + (zone.utc_offset_hours * HOUR_MS if zone else 0)
    weekend = (local_ms // DAY_MS + MONDAY) % 7 >= 5
    return Audit(
        rows=taken.report.rows,
        fields=taken.fields,
        kinds=_kinds(events),
        zone=zone,
        routines={"weekdays": _part(events, local_ms, ~weekend), "weekend": _part(events, local_ms, weekend)},
        hours=_by_hour(local_ms).tolist(),
        countries=_counted(events.country.tolist()),
        devices=_counted([DEVICES[code] for code in events.device.tolist()]),
        first=iso_date(int(events.ts_ms[0])),
        last=iso_date(int(events.ts_ms[-1])),
    )


def _kinds(events: Events) -> dict[str, dict[str, Any]]:
    """Return listens, minutes and the share of the minutes by kind; the share is 0 where nothing was played at all."""
    whole = max(int(events.ms_played.sum()), 1)
    return {
        name: {
            "listens": int(found.sum()),
            "minutes": _minutes(events, found),
            "share": float(events.ms_played[found].sum() / whole),
        }
        for code, name in enumerate(KINDS)
        if (found := events.kind == code).any()
    }


def _part(events: Events, local_ms: NDArray[np.int64], found: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what the days of a kind are like: listens, minutes, days with listens, and the three busiest local hours."""
    hours = _by_hour(local_ms[found])
    busiest = [int(hour) for hour in np.argsort(-hours, kind="stable")[:3] if hours[hour]]
    days = len(np.unique(local_ms[found] // DAY_MS))
    return {"listens": int(found.sum()), "minutes": _minutes(events, found), "days": days, "busiest_hours": busiest}


def _by_hour(local_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(local_ms // HOUR_MS % 24, minlength=24)


def _minutes(events: Events, found: NDArray[np.bool_]) -> float:
    return round(float(events.ms_played[found].sum()) / MINUTE_MS, 1)


def _counted(names: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _named(fields: dict[str, int]) -> dict[str, int]:
    """Return the fields under names that can be printed, most frequent first."""
    return {shown(name): count for name, count in sorted(fields.items(), key=lambda pair: (-pair[1], pair[0]))}


def _listed(counts: dict[str, int]) -> str:
    rest = f" and {len(counts) - 8} more" if len(counts) > 8 else ""
    return ", ".join(f"{name} {count}" for name, count in list(counts.items())[:8]) + rest


def _routine(part: dict[str, Any]) -> str:
    busiest = ", ".join(f"{hour}:00" for hour in part["busiest_hours"]) or "never"
    return f"{part['listens']:,} listens, {part['minutes']:,.1f} minutes on {part['days']} days, mostly at {busiest}"
