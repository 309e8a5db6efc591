"""What is tried in ``skewlab bench detect``, and what came of it: a world with a skew, a control or nothing, night by night."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter

import msgspec

from contract.features import NAMES
from contract.skew import Skew
from contract.windows import iso_date
from lab.bench.detect_frames import Found
from lab.bench.detect_plain import exact_mismatch
from lab.detect.nights import Replayer
from monitoring.checks import Checks
from monitoring.measures import UNMATCHED, measure
from monitoring.night import Night
from monitoring.suites import REQUIRED, SUITES
from monitoring.suspect import suspects

OURS = "skewlab"
"""All suites together, as the exit code has them: operations, parity and ranking."""


class Trial(msgspec.Struct):
    """One world, one skew, some nights. ``first`` is the first night with a row that differs, as the lab knows."""

    skew: str
    severity: float
    seed: int
    nights: list[str]
    first: str | None = None
    found: list[Found] = []
    truth: list[str] = []
    """The features that differ beyond tolerance, ``unmatched`` where rows do."""
    named: list[str] = []
    """What the parity suite named."""
    suspects: list[str] = []
    explained: float | None = None
    parameter: str | None = None
    suspect_s: float | None = None

    @property
    def name(self) -> str:
        """What it is called among the cases."""
        return f"{self.skew}-{self.severity:g}-{self.seed}"

    @property
    def place(self) -> int | None:
        """Where the skew that was injected stands among the suspects, 1 being named first; None where it is not among them."""
        return self.suspects.index(self.skew) + 1 if self.skew in self.suspects else None

    def alarms(self, monitor: str) -> list[str]:
        """Return the nights on which a monitor raised an alarm."""
        return [one.night for one in self.found if one.monitor == monitor and one.alarm]

    def nights_to_detection(self, monitor: str) -> int | None:
        """Return 1 for an alarm on the first night that differs, 2 for one on the night after; None where there was none."""
        if self.first is None:
            return None
        late = [night for night in self.alarms(monitor) if night >= self.first]
        return self.nights.index(min(late)) - self.nights.index(self.first) + 1 if late else None


def tried(
    replayer: Replayer, skews: Sequence[Skew], name: str, severity: float, seed: int, checks: Checks
) -> tuple[Trial, list[Night]]:
    """Let the monitors of the lab look at each night under some skews; the nights are given back for those of others."""
    nights = replayer.nights(skews)
    trial = Trial(name, severity, seed, [iso_date(night.as_of_ms) for night in nights])
    for night in nights:
        trial.found += _ours(checks, trial.name, night)
        trial.found.append(exact_mismatch(trial.name, iso_date(night.as_of_ms), night.batch, night.live))
    trial.named = [c for c in (*NAMES, UNMATCHED) if any(c in one.columns for one in trial.found if one.monitor == "parity")]
    return trial, nights


def ask_for_truth(trial: Trial, replayer: Replayer, nights: Sequence[Night]) -> None:
    """Fill in what the lab knows: since when rows differ, and in which features beyond tolerance."""
    first, truth = replayer.truth(nights)
    trial.first = None if first is None else iso_date(nights[first].as_of_ms)
    trial.truth = truth


def ask_for_suspects(trial: Trial, replayer: Replayer, nights: Sequence[Night], catalogue: Iterable[type[Skew]]) -> None:
    """Fill in whom the monitor suspects, from the first night with an alarm on."""
    alarmed = trial.alarms("parity")
    if not alarmed:
        return
    started = perf_counter()
    since = [night for night in nights if iso_date(night.as_of_ms) >= min(alarmed)]
    ranked = suspects(replayer.evidence(since), list(catalogue))
    trial.suspect_s = perf_counter() - started
    trial.suspects = [one.name for one in ranked[:10]]
    if ranked:
        trial.explained, trial.parameter = ranked[0].share, ranked[0].parameter


def _ours(checks: Checks, case: str, night: Night) -> list[Found]:
    started = perf_counter()
    measures = measure(night)
    judged = checks.judge(measures.frames(), iso_date(night.as_of_ms))
    seconds = perf_counter() - started
    date = iso_date(night.as_of_ms)
    failed = {name: judged[name].outcome == "fail" for name in SUITES}
    columns = {name: tuple(dict.fromkeys(column for column, _ in judged[name].failed)) for name in SUITES}
    columns["parity"] = tuple(c for c in columns["parity"] if c == UNMATCHED or measures.features[c]["beyond"])
    suites = [Found(case, date, name, failed[name], columns[name], seconds) for name in SUITES]
    return [*suites, Found(case, date, OURS, any(failed[name] for name in REQUIRED), (), seconds)]
