"""What a measurement says: rows with their baselines and goals, and the machine that they are of."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import psutil
import pyspark


@dataclass(frozen=True)
class Row:
    """One figure. ``met`` is None where there is no goal, or where the run was too small for a claim."""

    name: str
    value: float
    unit: str
    better: Literal["lower", "higher"] = "lower"
    baseline: str | None = None
    goal: float | None = None
    met: bool | None = None


def judged(row: Row, *, claim: bool) -> Row:
    """Hold a row against its goal, where a claim is made."""
    if row.goal is None or not claim:
        return row
    met = row.value <= row.goal if row.better == "lower" else row.value >= row.goal
    return Row(**{**asdict(row), "met": met})


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    return {
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "spark": pyspark.__version__,
    }


def document(bench: str, rows: Sequence[Row], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the promised document; ``settings`` tells how big the run was."""
    plain = [{**asdict(row), "value": float(row.value)} for row in rows]  # NumPy's numbers are no JSON
    return {"bench": bench, "machine": machine(), "settings": settings, "rows": plain}


def lines(rows: Sequence[Row]) -> list[str]:
    """Return the same for people, and for ``docs/benchmarks.md``: a table in Markdown."""
    told = ["| row | value | goal | met | against |", "|---|---|---|---|---|"]
    for row in rows:
        bound = {"lower": "at most", "higher": "at least"}[row.better]
        goal = f"{bound} {row.goal:g}" if row.goal is not None else ""
        met = {None: "", True: "yes", False: "**no**"}[row.met]
        told.append(f"| `{row.name}` | {_figure(row.value)} {row.unit} | {goal} | {met} | {row.baseline or ''} |")
    return told


def _figure(value: float) -> str:
    """Write three digits, or all before the point where there are more of them."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def failed(rows: Sequence[Row]) -> bool:
    """Tell whether a goal was missed."""
    return any(row.met is False for row in rows)
