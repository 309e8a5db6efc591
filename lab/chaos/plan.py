"""How large a chaos run is, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """How much of everything, and how long it may take."""

    events: int
    listeners: int
    faults: int
    seconds: float
    seed: int = 1
    partitions: int = 8
    members: int = 3
    step_events: int = 100


SHORT = Plan(events=6_000, listeners=300, faults=24, seconds=240)
FULL = Plan(events=200_000, listeners=5_000, faults=200, seconds=3_600, step_events=500)


@dataclass
class Outcome:
    """What was done, and what was wrong at the end: nothing, if all is well. ``repeats`` were published more than once."""

    records: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    rankings: int = 0
    snapshots: int = 0
    dead_letters: int = 0
    archived: int = 0
    """Events in the lake."""
    batch: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows that the batch path computed too, by which rows they are and by their version."""
    repeats: int = 0
    refused: int = 0
    """Writes that a member was refused since its partition had moved on."""
    ended: list[str] = field(default_factory=list)
    """Who ended by itself, and what it said."""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
