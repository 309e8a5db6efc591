"""What the monitor says of a night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from contract.errors import CannotJudge
from contract.features import BY_NAME
from contract.home import Home, write_whole
from contract.windows import iso_date, parse_instant
from monitoring.slices import Slice
from monitoring.suites import REQUIRED

GOOD, FAILED, NOT_JUDGED = 0, 1, 2


class Segment(msgspec.Struct, frozen=True):
    """A group of listeners that is hit more than the others: ``share`` of its ``listeners``, against all."""

    dimension: str
    value: str
    listeners: int
    share: float


class SegmentNumbers(msgspec.Struct, frozen=True):
    """A feature in a group of listeners: how many requests of theirs there are, and its numbers in these."""

    dimension: str
    value: str
    requests: int
    numbers: dict[str, float | None]


class Verdict(msgspec.Struct, frozen=True):
    """One night's judgement; the promised keys of a run's night are its first six."""

    night: str
    operations: str
    distribution: str
    parity: str
    ranking: str
    exact: bool
    """Whether every value of every request agrees to the last bit that matters (rule 13)."""
    ranking_required: bool
    version: str
    listeners: int
    """The batch path's rows at midnight."""
    requests: int
    """The day's served rows that were computed again."""
    missing: int
    """Rows, of both, that the batch path alone has."""
    extra: int
    """Rows that the live path alone has."""
    affected: list[str]
    """The listeners with a feature beyond tolerance."""
    alarmed: list[str]
    """The features whose parity expectation failed."""
    failed: dict[str, list[str]]
    """Suite -> columns whose expectation failed."""
    features: dict[str, dict[str, float | None]]
    distances: dict[str, dict[str, float]]
    rankings: dict[str, float | None]
    segments: list[Segment]
    training: str = "unjudged"
    """Whether the rows that a model was trained on are what serving had; ``unjudged`` on nights that trained none."""
    leaked: list[str] = []
    """The features of training rows that are not."""
    parts: dict[str, dict[str, dict[str, float | None]]] = {}
    """``snapshot`` and ``requests`` apart: the numbers of the features that are beyond tolerance there."""
    rows: dict[str, dict[str, int]] = {}
    """For ``snapshot`` and ``requests``: how many rows both paths have (``both``), one path alone (``missing``, ``extra``)."""
    by_segment: dict[str, list[SegmentNumbers]] = {}
    """The numbers of the features that are beyond tolerance, group by group."""
    slice: Slice | None = None
    """The smallest group that explains most of what differs."""
    calibration: str | None = None
    """The version that the limits were calibrated with; None where they are the defaults."""

    @property
    def at_ms(self) -> int:
        """The night's instant."""
        return parse_instant(self.night)

    @property
    def exit_code(self) -> int:
        """1 where parity, ranking or operations failed, else 2 where a required suite was not judged, else 0."""
        outcomes = {name: getattr(self, name) for name in REQUIRED}
        if "fail" in outcomes.values():
            return FAILED
        required = [name for name in REQUIRED if name != "ranking" or self.ranking_required]
        return NOT_JUDGED if any(outcomes[name] == "unjudged" for name in required) else GOOD

    def differs(self, features: Sequence[str]) -> bool:
        """Tell whether one of some features was not exact on any request; of none, whether one path alone has rows."""
        exact = [self.features[name]["exact"] for name in features if name in self.features]
        return any(share is not None and share < 1.0 for share in exact) or bool(not features and self.missing + self.extra)


def write_verdict(home: Home, verdict: Verdict) -> Path:
    """Keep a verdict; a night judged again replaces its first one."""
    path = home.reports / "nights" / f"{iso_date(verdict.at_ms)}.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(verdict), indent=1))
    return path


def read_verdicts(home: Home) -> list[Verdict]:
    """Return all kept verdicts, oldest first.

    Raises:
        CannotJudge: one of them cannot be read.
    """
    return [_read(path) for path in sorted((home.reports / "nights").glob("*.json"))]


def _read(path: Path) -> Verdict:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verdict)
    except msgspec.MsgspecError as error:
        again = f"Judge that night again: 'skewlab monitor --as-of {path.stem}'"
        raise CannotJudge(f"The verdict {path} cannot be read", str(error), again) from error


def only_features(columns: Sequence[str]) -> list[str]:
    """Return the columns that are features, in the registry's order."""
    return [name for name in BY_NAME if name in columns]
