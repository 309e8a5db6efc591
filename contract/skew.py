"""The skew interface: identity hooks that the paths call and a skew overrides.

A path never asks *which* skew acts. It calls each hook at its place and goes on with what it gets back. Hooks take and give
columns; ``PerEvent`` lifts a form that sees one event at a time.

Streaming hooks, in the order in which a step calls them::

    transport   the records of a step as they came from Kafka
    event       its valid events, before duplicates are dropped
    settings    the constants of the definitions
    state       the touched listeners' state after the events
    clock       the instant as of which features are computed
    features    the computed feature columns
    serves      who gets a row at all
    keys        under whose name a row is stored

Batch hooks: ``batch_settings`` (constants), ``batch_events`` and ``batch_features`` (Spark frames), ``batch_training`` (the
requests that the ranker is trained on). ``world`` changes what listeners do: both paths see it, so it is a control and no skew.

A skew's *value* is what it does in its own unit: minutes, days, a share. It runs from ``harmless`` at severity 0 to ``worst`` at
severity 1. A skew may hit some listeners only, picked by chance: ``spread`` is their share at severity 1. Where no value is
named, severity is that share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from contract.errors import UsageError
from contract.event import Event, Events, Names
from contract.features import FeatureConstants
from contract.rows import FeatureColumns, Floats

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

Side = Literal["streaming", "batch", "world"]
Group = Literal["time", "volume", "freshness", "values", "meaning", "model", "control", "own"]
Evidence = Literal["A", "B", "C"]
Scale = Literal["even", "factors", "inverse"]


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as Kafka holds it."""

    offset: int
    key: bytes | None
    value: bytes | None


class Skew:
    """A difference between the paths. Subclass it, say what it is, override a hook.

    Args:
        severity: the knob, from 0 (none) to 1 (the documented worst).
        seed: what its chances depend on, with partition and offset.
    """

    id: ClassVar[str]
    origin: ClassVar[str] = ""
    """The file of a student's own skew."""
    title: ClassVar[str] = ""
    story: ClassVar[str] = ""
    sources: ClassVar[Sequence[str]] = ()
    side: ClassVar[Side] = "streaming"
    group: ClassVar[Group] = "own"
    """What kind of thing goes wrong."""
    evidence: ClassVar[Evidence] = "C"
    """A: told at first hand by a vendor, a team, an issue, a paper. B: at second hand. C: common knowledge of engineers."""
    moves: ClassVar[Sequence[str]] = ()
    """The features that it should move."""
    seen_by: ClassVar[Sequence[str]] = ("parity",)
    """The suites that see it at severity 1, in most of the worlds of ``docs/detection.md``."""
    fix: ClassVar[str] = ""
    parameter: ClassVar[str] = ""
    """What the severity means, in words."""

    value_name: ClassVar[str] = ""
    unit: ClassVar[str] = ""
    harmless: ClassVar[float] = 0.0
    """The value at severity 0."""
    worst: ClassVar[float] = 1.0
    """The value at severity 1."""
    scale: ClassVar[Scale] = "even"
    """How the value gets from one to the other: by equal steps, by equal factors, or as ``worst`` divided by the severity."""
    tries: ClassVar[Sequence[float]] = ()
    """The values that the monitor tries as explanations; without any, ``worst`` alone."""
    spread: ClassVar[float] = 1.0
    """The share of listeners that it hits at severity 1; below 1, or where it has no value, they are picked by chance."""

    def __init__(self, severity: float = 1.0, seed: int = 0) -> None:
        if not 0 <= severity <= 1:
            raise UsageError(f"The severity {severity:g} of '{self.id}' is out of range", "", "Give a number from 0 to 1")
        self.severity = severity
        self.seed = seed
        self.value = self._value_at(severity)
        self.share = self.spread if self.value_name else self.spread * severity

    def _value_at(self, severity: float) -> float:
        if self.scale == "factors":
            return float(self.harmless * (self.worst / self.harmless) ** severity)
        if self.scale == "inverse":
            return float(min(self.harmless, self.worst / severity)) if severity else self.harmless
        return self.harmless + (self.worst - self.harmless) * severity

    # -- as an explanation -------------------------------------------------------------------------------------------

    @classmethod
    def hypotheses(cls) -> list[Self]:
        """Return it with each value that the monitor should try, hitting everybody.

        Whom chance picked is not for the monitor to know: a row is explained where it is as this skew would have made it, and
        rows that did not move speak against it only where it would have hit everybody.
        """
        return [cls.with_value(value) for value in cls.tries or (cls.worst,)]

    @classmethod
    def with_value(cls, value: float) -> Self:
        """Return it with a value of its own unit, hitting everybody."""
        made = cls()
        made.value, made.share = value, 1.0
        return made

    @classmethod
    def hits_some(cls) -> bool:
        """Tell whether it hits listeners that are picked by chance, and leaves others alone."""
        return cls.spread < 1 or not cls.value_name

    @property
    def told(self) -> str:
        """Its value in words: ``calendar offset -480 min``."""
        return f"{self.value_name} {self.value:g} {self.unit}".strip() if self.value_name else ""

    def hit(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Tell for each listener whether it hits them."""
        return self.chance_of(names) < self.share

    # -- streaming ---------------------------------------------------------------------------------------------------

    def transport(self, records: Sequence[RawRecord], partition: int) -> Sequence[RawRecord]:
        """Drop, double, delay or reorder the records of a step."""
        return records

    def event(self, events: Events, partition: int) -> Events:
        """Change valid events."""
        return events

    def settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Exchange a constant."""
        return constants

    def state(self, state: Any) -> Any:
        """Change the touched listeners' state (``streaming.state.States``) after the events."""
        return state

    def clock(self, as_of_ms: int) -> int:
        """Compute features as of another instant."""
        return as_of_ms

    def features(self, columns: FeatureColumns, window: Any) -> FeatureColumns:
        """Change computed features; ``window`` (``streaming.view.View``) is what they were computed from."""
        return columns

    def serves(self, served: NDArray[np.bool_], window: Any) -> NDArray[np.bool_]:
        """Tell for which rows there is an answer at all; ``served`` is what was told before, at first all."""
        return served

    def keys(self, users: Names) -> Names:
        """Store each row under another name."""
        return users

    def holds(self, partition: int, offset: int) -> bool:
        """Tell whether the step that would end at this offset waits for the next one: benign lag."""
        return False

    # -- batch -------------------------------------------------------------------------------------------------------

    def batch_settings(self, constants: FeatureConstants) -> FeatureConstants:
        """Exchange a constant."""
        return constants

    def batch_events(self, events: DataFrame) -> DataFrame:
        """Change the lake's events (columns of ``LAKE_SCHEMA``) before anything is computed."""
        return events

    def batch_features(self, rows: DataFrame) -> DataFrame:
        """Change computed feature columns."""
        return rows

    def batch_training(self, spine: pa.Table) -> pa.Table:
        """Change the instant or the cut as of which training rows are computed; ``spine`` keeps its rows and their order.

        Columns ``user_id``, ``as_of_ms``, ``cut``, and ``cut_after``, the cut of the night that trains. What the listener did
        afterwards, the label, stays what it was.
        """
        return spine

    # -- world -------------------------------------------------------------------------------------------------------

    def world(self, events: Events, day: int) -> Events:
        """Change what listeners do on a day, before the collector gets it."""
        return events

    # -- chance ------------------------------------------------------------------------------------------------------

    def chance(self, partition: int, offsets: NDArray[np.int64]) -> Floats:
        """Return a number in [0, 1) per record, from seed, partition and offset alone."""
        return _uniform(offsets.astype(np.uint64), _salt(self.id, self.seed, partition))

    def chance_of(self, names: Iterable[str]) -> Floats:
        """Return a number in [0, 1) per name, from seed and name alone."""
        digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names]
        return _uniform(np.frombuffer(b"".join(digests), np.uint64), _salt(self.id, self.seed, 0))


class PerEvent(Skew):
    """A skew that looks at one event at a time: override ``each``; return None to drop it."""

    def each(self, event: Event) -> Event | None:
        """Return the event as this path sees it."""
        return event

    def event(self, events: Events, partition: int) -> Events:
        """Lift ``each`` onto a batch."""
        seen = [(self.each(event), offset) for event, offset in zip(events.to_records(), events.offset.tolist(), strict=True)]
        kept = [(event, offset) for event, offset in seen if event is not None]
        if wrong := [type(event).__name__ for event, _ in kept if not isinstance(event, Event)]:
            raise TypeError(f"it gave back {wrong[0]}, neither an Event nor None")
        return Events.of([event for event, _ in kept], [offset for _, offset in kept])


@dataclass(frozen=True)
class Acting:
    """A skew with the cut from which it acts, and the one behind which it does so no more."""

    skew: Skew
    onset: dict[int, int]
    until: dict[int, int] = field(default_factory=dict)

    def at(self, partition: int, offset: int) -> bool:
        """Tell whether it acts on the record at this offset."""
        start, end = self.onset.get(partition), self.until.get(partition)
        return start is not None and start <= offset and (end is None or offset < end)

    def edges(self, partition: int) -> list[int]:
        """Return the offsets at which it begins or ends; no step reaches across one."""
        return [edge for edge in (self.onset.get(partition), self.until.get(partition)) if edge is not None]


def _salt(name: str, seed: int, partition: int) -> np.uint64:
    digest = hashlib.blake2b(f"{name}/{seed}/{partition}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _uniform(values: NDArray[np.uint64], salt: np.uint64) -> Floats:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014) over the salted values, as a fraction of 2^53."""
    with np.errstate(over="ignore"):
        z = (values ^ salt) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / float(1 << 53)
