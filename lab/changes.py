"""Controls that change what listeners do, each from its day on: both paths see the same world."""

from __future__ import annotations

from collections.abc import Sequence

from contract.event import Events
from contract.hooks import through
from contract.skew import Skew

Change = tuple[int, Skew]
"""The day on which a control begins, and the control."""


def changed(events: Events, day: int, changes: Sequence[Change]) -> Events:
    """Return a day's events as the controls that have begun make them; each counts its own days."""
    for begin, change in changes:
        if day >= begin:
            events = through([change], "world", events, day - begin)
    return events
