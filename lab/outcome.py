"""What a run says at its end: the document that scripts read, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitoring.incident import Incident
from monitoring.verdict import Verdict

DIGITS = 9
"""What is told of a number: below it, sums in another order may differ."""


@dataclass(frozen=True)
class Quality:
    """NDCG@10 of a night by listener: as served, and by the clean twin; empty where nobody knows the truth.

    ``minutes`` are what each hears of podcasts on a day, in the mean of the four weeks before.
    """

    live: Mapping[str, float]
    clean: Mapping[str, float]
    minutes: Mapping[str, float] = field(default_factory=dict)

    @property
    def minutes_lost(self) -> float | None:
        """About how many minutes of podcasts are not heard on a day, were they heard in proportion to the rankings' quality."""
        lost = [self.minutes[user] * (1 - live / self.clean[user]) for user, live in self.live.items() if self._tells(user)]
        return sum(lost) if self.live else None

    def _tells(self, user: str) -> bool:
        return user in self.minutes and self.clean.get(user, 0.0) > 0


@dataclass(frozen=True)
class NightOutcome:
    """A night's verdict and quality."""

    verdict: Verdict
    quality: Quality

    def document(self) -> dict[str, Any]:
        """Return the promised keys of a night, and more behind them."""
        verdict = self.verdict
        affected = set(verdict.affected)
        return {
            "night": verdict.night,
            "operations": verdict.operations,
            "distribution": verdict.distribution,
            "parity": verdict.parity,
            "ranking": verdict.ranking,
            "ndcg": _mean(self.quality.live),
            "ndcg_clean": _mean(self.quality.clean),
            "ndcg_affected": _mean(self.quality.live, affected),
            "ndcg_affected_clean": _mean(self.quality.clean, affected),
            "exact": verdict.exact,
            "affected": len(affected),
            "listeners": verdict.listeners,
            "requests": verdict.requests,
            "alarmed": verdict.alarmed,
            "training": verdict.training,
        }


@dataclass(frozen=True)
class Outcome:
    """A whole run."""

    scenario: str
    seed: int
    nights: Sequence[NightOutcome]
    incidents: Sequence[Incident]

    @property
    def exit_code(self) -> int:
        """A run ends as its last night does."""
        return self.nights[-1].verdict.exit_code if self.nights else 2

    def document(self) -> dict[str, Any]:
        """Return the document of the run; the same seed gives the same one."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "nights": [night.document() for night in self.nights],
            "incidents": [msgspec.to_builtins(self.with_damage(incident)) for incident in self.incidents],
        }

    def with_damage(self, incident: Incident) -> Incident:
        """Return an incident with its cost in quality, which only the lab knows."""
        damage = {**incident.damage, **self._quality_lost(incident)}
        return msgspec.structs.replace(incident, damage={name: _rounded(value) for name, value in damage.items()})

    def _quality_lost(self, incident: Incident) -> dict[str, float | None]:
        """Return what an incident cost in quality, over its nights: the mean NDCG@10 of those it hit, and of their twins."""
        nights = [n.document() for n in self.nights if incident.onset <= n.verdict.night <= incident.last_seen]
        live, clean = (_average([n[name] for n in nights]) for name in ("ndcg_affected", "ndcg_affected_clean"))
        lost = None if live is None or not clean else 1 - live / clean
        minutes = [n.quality.minutes_lost for n in self.nights if incident.onset <= n.verdict.night <= incident.last_seen]
        return {
            "ndcg_affected": live,
            "ndcg_affected_clean": clean,
            "ndcg_lost": lost,
            "minutes_lost_a_day": _average(minutes),
        }


def _mean(values: Mapping[str, float], who: set[str] | None = None) -> float | None:
    return _rounded(_average([value for user, value in sorted(values.items()) if who is None or user in who]))


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
