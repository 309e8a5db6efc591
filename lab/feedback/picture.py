"""The picture: coverage, popularity bias and quality of each arm, week by week, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from contract.rows import Floats
from lab.feedback.measures import BIAS, COVERAGE, MEASURES, QUALITY
from lab.report.plot import STYLE

PANELS = {
    COVERAGE: "songs that are shown to anybody",
    BIAS: "hits: share of places less of plays",
    QUALITY: "a shown song is not skipped",
}
COLOURS = ("#1d4ed8", "#0f766e", "#c2410c", "#7e22ce", "#a16207", "#64748b")
CLOSE = 3
"""The first so many arms, those that differ in exploration alone, are drawn once more at a scale of their own."""


def picture(found: Mapping[str, Floats]) -> str:
    """Return an SVG of three panels, a line for each arm: the mean over the seeds, in a band from the least to the most.

    Below each the first ``CLOSE`` arms alone. ``found`` has what was measured in each arm, (seeds, weeks, ``MEASURES``).
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 6.4), layout="constrained")
        for (all_arms, close), (measure, title) in zip(figure.subplots(2, len(PANELS)).T, PANELS.items(), strict=True):
            values = {arm: values[:, :, MEASURES.index(measure)] for arm, values in found.items()}
            _panel(all_arms, values, title)
            _panel(close, dict(list(values.items())[:CLOSE]), "the same, exploration alone")
            close.set_xlabel("week")
        figure.legend(*all_arms.get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=len(found))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "skewlab"})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _panel(axes: Axes, found: Mapping[str, Floats], title: str) -> None:
    for (arm, values), colour in zip(found.items(), COLOURS, strict=False):
        weeks = np.arange(1, values.shape[1] + 1)
        axes.fill_between(weeks, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0)
        axes.plot(weeks, values.mean(axis=0), color=colour, label=arm, linewidth=1.8)
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_xlim(1, len(weeks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}%"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e2e8f0", linewidth=0.8)
    axes.set_axisbelow(True)
