"""Limits from clean nights instead of from taste: the estimator, and the file that a home keeps of it.

**The estimator.** Of each clean night its numbers are known (shares beyond tolerance, distances, how far rankings moved: the
larger, the worse). A limit is the largest value of its number on any clean night, times one factor for all numbers. The factor is
found by leaving each night out in turn: how many times the largest of the *other* nights was its worst number? Of N such ratios
the ceil((N + 1)(1 - target))-th smallest is taken (the quantile of split conformal prediction), and never less than 1. So the
rate is that of a night on which *anything* alarms, however many numbers there are and however they hang together; no shape of a
distribution is assumed, only that a coming night is like these. With too few nights for the target the largest ratio is taken,
and ``shown`` is false: all that N nights can show is one false alarm in N + 1.

**The floor.** On a clean world most numbers are 0 on every night, by exactness: then no rate is estimated at all. The limit of a
share beyond tolerance is 0, so one listener more than none is an alarm. Distances bear one listener who changes his bin, rankings
one show of one listener: numbers within tolerance may do so much.

A file is not put into the version's folder: a version is never changed once it is published. It is kept beside the reports, by
the name of the newest version that it was made with, and goes where they go when another world begins in the home.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from contract.errors import CannotJudge, InfrastructureError
from contract.features import NAMES, TOP
from contract.home import Home, write_whole
from contract.version import INITIAL
from monitoring.compare import EXACT_COMPONENT
from monitoring.limits import Limits
from monitoring.measures import UNMATCHED

DISTANCES = ("psi", "js", "linf")
RANKINGS = ("overlap", "rbo", "score_difference")
SEGMENT = "segment"
PARITY = (*NAMES, UNMATCHED)
NUMBERS = (*PARITY, *DISTANCES, *RANKINGS, SEGMENT)
"""What is known of a clean night. ``overlap`` and ``rbo`` are what is missing to 1."""


class Calibration(msgspec.Struct, frozen=True):
    """What a calibration found. ``worst`` are the largest values of clean nights, by the names of ``NUMBERS``."""

    version: str
    nights: list[str]
    replays: int
    target: float
    shown: bool
    """Whether there were nights enough to show the target rate."""
    factor: float
    worst: dict[str, float]
    limits: Limits


def calibrate(
    version: str, nights: Mapping[str, Mapping[str, float]], replays: int, listeners: int, target: float
) -> Calibration:
    """Work out the limits that bear clean ``nights`` (each with all of ``NUMBERS``) at a rate of false alarms per night.

    Raises:
        CannotJudge: there is no clean night.
    """
    if not nights:
        raise CannotJudge("There is no clean night to calibrate with", "", "Run some nights first")
    seen, floors = list(nights.values()), _floors(listeners)
    rank = math.ceil((len(seen) + 1) * (1 - target) - 1e-9)
    ratios = sorted(_ratio(night, [other for other in seen if other is not night], floors) for night in seen)
    factor = max(ratios[min(rank, len(seen)) - 1], 1.0)
    worst = {name: max(night[name] for night in seen) for name in NUMBERS}
    limits = _limits({name: factor * value for name, value in worst.items()}, floors)
    return Calibration(version, list(nights), replays, target, rank <= len(seen), factor, worst, limits)


def _ratio(night: Mapping[str, float], others: Sequence[Mapping[str, float]], floors: Mapping[str, float]) -> float:
    """Return how many times the largest of the other nights a night's worst number is."""
    return max(night[name] / max([floors[name], *(other[name] for other in others)]) for name in NUMBERS)


def _floors(listeners: int) -> dict[str, float]:
    """Return the smallest value of each number that is not 0: what one listener makes."""
    one = 1 / max(listeners, 1)
    shares = dict.fromkeys((*PARITY, *DISTANCES, SEGMENT), one)
    return {**shares, **dict.fromkeys(("overlap", "rbo"), one / TOP), "score_difference": EXACT_COMPONENT}


def _limits(borne: Mapping[str, float], floors: Mapping[str, float]) -> Limits:
    apart = {name: max(borne[name], floors[name]) for name in (*DISTANCES, *RANKINGS)}
    return Limits(
        beyond={name: borne[name] for name in PARITY},
        psi=apart["psi"],
        js=apart["js"],
        linf=apart["linf"],
        overlap=1 - apart["overlap"],
        rbo=1 - apart["rbo"],
        score_difference=apart["score_difference"],
        segment=borne[SEGMENT],
    )


def write_calibration(home: Home, found: Calibration) -> Path:
    """Keep a calibration; one of the same version replaces it."""
    path = _folder(home) / f"{found.version}.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(found), indent=1))
    return path


def calibration_for(home: Home, version: str) -> Calibration | None:
    """Return the calibration of the newest version that is not newer than a night's, else the oldest; None where there is none.

    Raises:
        InfrastructureError: it cannot be read.
    """
    known = sorted((path.stem != INITIAL, path.stem) for path in _folder(home).glob("*.json"))
    if not known:
        return None
    _, name = max((one for one in known if one <= (version != INITIAL, version)), default=known[0])
    path = _folder(home) / f"{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InfrastructureError(f"{path} cannot be read", str(error), "Remove it, or run 'skewlab calibrate' again") from error


def _folder(home: Home) -> Path:
    return home.reports / "calibration"
