"""``skewlab bench monitor``: one night of very many listeners, both paths' rows in and four suites' outcomes out.

Rows are drawn once (``lab.bench.monitor_tables``) and kept; each round judges them in a process of its own: read from Parquet,
align, measure, judge, with everything that is loaded on the way. Memory is the most that the process ever held.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from contract.errors import CannotJudge, InfrastructureError
from contract.settings import Settings
from lab.bench.monitor_tables import write_night
from lab.bench.report import Row, judged

EXPECTED = {"operations": "pass", "distribution": "pass", "parity": "fail", "ranking": "fail"}
"""Some listeners differ, by values that others have: what a measurement must find, or it measured nothing."""


@dataclass(frozen=True)
class Size:
    """How big a run is: listeners of the large and of the small night, and how often each is judged."""

    listeners: int
    few: int
    rounds: int
    claim: bool


FULL = Size(1_000_000, 10_000, rounds=3, claim=True)
SMALL = Size(10_000, 1_000, rounds=1, claim=False)


def bench_monitor(settings: Settings, size: Size, say: Callable[[str], None]) -> list[Row]:
    """Measure; the rows of the nights are kept below the home's ``bench``.

    Raises:
        InfrastructureError: a process that judged a night did not come to its end.
        CannotJudge: a suite's outcome is not what the rows ask for.
    """
    folder = settings.places.root / "bench" / "monitor"
    many, few = (_rounds(folder, listeners, size.rounds, say) for listeners in (size.listeners, size.few))
    whole = "read, align, measure, four suites"
    rows = [
        Row("million_s", median(_seconds(one) for one in many), "s", "lower", f"{size.listeners:,} listeners: {whole}", 90.0),
        Row("million_gb", max(one["peak"] for one in many) / 1e9, "GB", "lower", "the most that the process held", 6.0),
        Row("ten_thousand_s", median(_seconds(one) for one in few), "s", "lower", f"{size.few:,} listeners: {whole}", 5.0),
        Row("million_processor_s", median(one["processor"] for one in many), "s", "lower", "seconds of all cores, imports too"),
    ]
    return [judged(row, claim=size.claim) for row in rows]


def _rounds(folder: Path, listeners: int, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    place = folder / str(listeners)
    if not (place / "done").exists():
        say(f"making two tables of {listeners:,} listeners")
    batch, live = write_night(place, listeners)
    return [_judged(batch, live, f"{listeners:,} listeners, round {number + 1}", say) for number in range(rounds)]


def _judged(batch: Path, live: Path, called: str, say: Callable[[str], None]) -> dict[str, Any]:
    orders = json.dumps({"batch": str(batch), "live": str(live)})
    command = [sys.executable, "-m", "lab.bench.monitor_night", orders]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise InfrastructureError(f"The night of {called} was not judged", f"exit code {done.returncode}", "See the lines above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found["outcomes"] != EXPECTED:
        raise CannotJudge(f"The night of {called} was judged wrongly", f"{found['outcomes']}, not {EXPECTED}")
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["seconds"].items())
    say(f"{called}: {parts}; {found['peak'] / 1e9:.1f} GB")
    return found


def _seconds(found: dict[str, Any]) -> float:
    return float(sum(found["seconds"].values()))
