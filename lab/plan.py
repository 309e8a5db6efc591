"""What a run will do, worked out before anything is started: all that can be wrong with what was asked is known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract.errors import UsageError
from contract.event import Events
from contract.hooks import through
from contract.skew import Side, Skew
from lab.changes import Change
from lab.scenario import Scenario
from lab.skews import Request
from lab.source import Source


@dataclass(frozen=True)
class Planned:
    """A skew with the day on which it begins, and the one on which it does nothing any more; without that it stays."""

    skew: Skew
    day: int
    until: int | None

    def acts(self, day: int) -> bool:
        """Tell whether it acts on a day."""
        return self.day <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class Plan:
    """A scenario with its skews made and its source opened: all that can be wrong with what was asked is known."""

    scenario: Scenario
    source: Source
    skews: Sequence[Planned]

    def of_side(self, side: Side) -> list[Planned]:
        """Return the skews of a side."""
        return [planned for planned in self.skews if planned.skew.side == side]


class Passing(Skew):
    """A control that changes the world for some days, and then no more."""

    id = "passing"
    side = "world"

    def __init__(self, control: Skew, days: int) -> None:
        super().__init__(control.severity, control.seed)
        self.control, self.days = control, days

    def world(self, events: Events, day: int) -> Events:
        """Change a day as the control does, up to its last one."""
        return through([self.control], "world", events, day) if day < self.days else events


def plan_of(scenario: Scenario, source: Callable[[Sequence[Change]], Source]) -> Plan:
    """Make the skews of a scenario and its source; ``source`` is given the controls that change the world, with their days.

    Raises:
        UsageError: there is no such skew, or it begins or ends behind the last day.
    """
    skews = [_planned(Request.parse(text), scenario.seed) for text in scenario.skews]
    made = source([_change(planned) for planned in skews if planned.skew.side == "world"])
    for what, days in (("begins", [p.day for p in skews]), ("ends", [p.until for p in skews])):
        late = [day for day in days if day is not None and day >= made.days]
        if late:
            raise UsageError(f"A skew {what} on day {late[0]}", f"the run has days 0 to {made.days - 1}", "Name an earlier day")
    return Plan(scenario, made, skews)


def _planned(request: Request, seed: int) -> Planned:
    return Planned(request.make(seed), request.day, request.until)


def _change(planned: Planned) -> Change:
    if planned.until is None:
        return planned.day, planned.skew
    return planned.day, Passing(planned.skew, planned.until - planned.day)
