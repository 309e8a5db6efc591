"""What a run will do, worked out before anything is started: all that can be wrong with what was asked is known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract.errors import UsageError
from contract.skew import Side, Skew
from lab.changes import Change
from lab.scenario import Scenario
from lab.skews import Request
from lab.source import Source


@dataclass(frozen=True)
class Plan:
    """A scenario with its skews made and its source opened: all that can be wrong with what was asked is known."""

    scenario: Scenario
    source: Source
    skews: Sequence[tuple[int, Skew]]
    """Each with the day on which it begins."""

    def of_side(self, side: Side) -> list[tuple[int, Skew]]:
        """Return the skews of a side."""
        return [(day, skew) for day, skew in self.skews if skew.side == side]


def plan_of(scenario: Scenario, source: Callable[[Sequence[Change]], Source]) -> Plan:
    """Make the skews of a scenario and its source; ``source`` is given the controls that change the world, with their days.

    Raises:
        UsageError: there is no such skew, or it begins behind the last day.
    """
    skews = [(request.day, request.make(scenario.seed)) for request in map(Request.parse, scenario.skews)]
    made = source([(day, skew) for day, skew in skews if skew.side == "world"])
    late = [day for day, _ in skews if day >= made.days]
    if late:
        raise UsageError(f"A skew begins on day {late[0]}", f"the run has days 0 to {made.days - 1}", "Let it begin earlier")
    return Plan(scenario, made, skews)
