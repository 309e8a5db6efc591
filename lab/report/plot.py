"""The quality picture: NDCG@10 as served beside the clean twin's, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

SERVED, CLEAN, ONSET = "#c2410c", "#0f766e", "#94a3b8"
STYLE: Any = {"svg.hashsalt": "skewlab", "font.family": "sans-serif", "font.size": 10, "svg.fonttype": "none"}


def quality_plot(nights: Sequence[dict[str, Any]], onset: int | None) -> str:
    """Return an SVG of two panels: everybody, and the listeners that are hit; empty where nobody knows the truth."""
    if all(night["ndcg"] is None for night in nights):
        return ""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 3.1), layout="constrained")
        everybody, hit = figure.subplots(1, 2)
        _panel(everybody, nights, "all listeners", ("ndcg", "ndcg_clean"), onset)
        _panel(hit, nights, "the listeners that are hit", ("ndcg_affected", "ndcg_affected_clean"), onset)
        hit.legend(frameon=False, loc="lower left")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "skewlab"})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _panel(axes: Axes, nights: Sequence[dict[str, Any]], title: str, names: tuple[str, str], onset: int | None) -> None:
    days = range(len(nights))
    looks = (("as served", SERVED, "-"), ("clean twin", CLEAN, (0, (2, 1.5))))  # where both agree, both are seen
    for name, (label, colour, style) in zip(names, looks, strict=True):
        values = [float("nan") if night[name] is None else night[name] for night in nights]
        axes.plot(days, values, color=colour, label=label, marker="o", markersize=3.5, linewidth=1.8, linestyle=style)
    if onset is not None:
        axes.axvline(onset - 0.5, color=ONSET, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_title(f"NDCG@10 of {title}", loc="left", fontsize=10.5, fontweight="bold")
    axes.set_xlabel("day")
    axes.set_xlim(-0.5, len(nights) - 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e2e8f0", linewidth=0.8)
    axes.set_axisbelow(True)
