"""What came of ``skewlab bench detect``: the promised rows, a table in Markdown, and a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl
import msgspec
import numpy as np

from lab.bench.detect_trials import OURS, Trial
from lab.bench.report import Row, judged

mpl.use("agg")
from matplotlib import pyplot as plt

MONITORS = (
    OURS, "parity", "ranking", "distribution", "operations", "exact-mismatch", "null-and-range", "evidently",
    "evidently-any-column", "nannyml", "nannyml-majority", "nannyml-reconstruction",
)  # fmt: skip
"""Ours together and suite by suite, then those of others."""
GOALS = {
    "detected_first_night": 1.0,
    "false_alarms_200_nights": 0.0,
    "feature_named": 1.0,
    "transform_first": 0.9,
    "transform_top3": 0.98,
}


def rows(trials: Sequence[Trial], *, claim: bool) -> list[Row]:
    """Return the promised rows; shares are of the trials at severity 1 in which some row differs."""
    worst = [trial for trial in trials if trial.first is not None and trial.severity == 1]
    clean = [trial for trial in trials if trial.first is None]
    nights = sum(len(trial.nights) for trial in clean)
    alarms = sum(len(trial.alarms(OURS)) for trial in clean)
    found = [
        _share("detected_first_night", worst, lambda t: t.nights_to_detection(OURS) == 1, f"{len(worst)} trials"),
        Row("false_alarms_200_nights", 200 * alarms / max(nights, 1), "alarms", goal=0.0, baseline=f"{nights} clean nights"),
        _share("feature_named", worst, lambda t: t.named == t.truth, f"{len(worst)} trials"),
        _share("transform_first", worst, lambda t: t.place == 1, f"{len(worst)} trials"),
        _share("transform_top3", worst, lambda t: t.place is not None and t.place <= 3, f"{len(worst)} trials"),
        _seen("detected_evidently", worst, "evidently"),
        _seen("detected_nannyml", worst, "nannyml"),
        _seen("detected_null_range", worst, "null-and-range"),
        _seen("detected_mismatch_rate", worst, "exact-mismatch"),
        Row("seconds", median(_seconds(trials, OURS) or [0.0]), "s a night", baseline="frames and four suites"),
    ]
    return [judged(row, claim=claim) for row in found]


def _share(name: str, trials: Sequence[Trial], good: Callable[[Trial], bool], of: str) -> Row:
    value = float(np.mean([good(trial) for trial in trials])) if trials else 0.0
    return Row(name, value, "share", better="higher", goal=GOALS[name], baseline=of)


def _seen(name: str, trials: Sequence[Trial], monitor: str) -> Row:
    """Return the share of trials on which a monitor raised an alarm on any night that differs."""
    looked = [trial for trial in trials if any(one.monitor == monitor for one in trial.found)]
    seen = [trial.nights_to_detection(monitor) is not None for trial in looked]
    of = f"{len(looked)} trials, any night" if looked else "it was not asked"
    return Row(name, float(np.mean(seen)) if seen else 0.0, "share", better="higher", baseline=of)


def _seconds(trials: Sequence[Trial], monitor: str) -> list[float]:
    return [one.seconds for trial in trials for one in trial.found if one.monitor == monitor]


def write_tables(trials: Sequence[Trial], folder: Path) -> None:
    """Write both tables (``detect.md``), the picture (``detect.svg``) and the trials (``detect.json``) into a folder.

    Of each trial and monitor the file has the nights with an alarm; ``--json`` has every finding, with columns and times.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "detect.md").write_text("\n".join([*monitors_table(trials), "", *skews_table(trials)]) + "\n")
    (folder / "detect.json").write_text("[\n" + ",\n".join(map(_line, trials)) + "\n]\n")
    picture(trials, folder / "detect.svg")


def _line(trial: Trial) -> str:
    told = msgspec.to_builtins(trial)
    told["found"] = {monitor: trial.alarms(monitor) for monitor in _asked([trial])}
    return msgspec.json.encode(told).decode()


def monitors_table(trials: Sequence[Trial]) -> list[str]:
    """Return a line a monitor: what it detects, how fast, and how often it cries wolf."""
    told = [
        "| monitor | detected | on the first night | nights to detection | false alarms per 100 clean nights | seconds a night |"
    ]
    told.append("|---|---|---|---|---|---|")
    worst = [trial for trial in trials if trial.first is not None and trial.severity == 1]
    for monitor in _asked(trials):
        waits = [trial.nights_to_detection(monitor) for trial in worst if _looked(trial, monitor)]
        seen = [wait for wait in waits if wait is not None]
        told.append(
            f"| {monitor} | {len(seen)} of {len(waits)} | {sum(wait == 1 for wait in seen)} | "
            f"{median(seen) if seen else '-'} | {_false_alarms(trials, monitor):.1f} | {median(_seconds(trials, monitor)):.2g} |"
        )
    return told


def _false_alarms(trials: Sequence[Trial], monitor: str) -> float:
    """Return how many alarms a monitor raised in 100 nights on which no row differed."""
    clean = [trial for trial in trials if trial.first is None and _looked(trial, monitor)]
    alarms, nights = (sum(map(len, some)) for some in ((t.alarms(monitor) for t in clean), (t.nights for t in clean)))
    return 100 * alarms / max(nights, 1)


def skews_table(trials: Sequence[Trial]) -> list[str]:
    """Return a line a skew and severity: in how many worlds each monitor saw it, and whether it was named."""
    monitors = [monitor for monitor in _asked(trials) if monitor != OURS]
    told = [f"| skew | severity | features | named first | explained | {' | '.join(monitors)} |"]
    told.append("|---" * (5 + len(monitors)) + "|")
    for (skew, severity), some in _by_skew(trials).items():
        seen = [_count(some, monitor) for monitor in monitors]
        named = f"{sum(trial.place == 1 for trial in some)}/{len(some)}"
        explained = [trial.explained for trial in some if trial.explained is not None and trial.place == 1]
        share = f"{median(explained):.0%}" if explained else "-"
        moved = max(len(trial.truth) for trial in some)
        told.append(f"| {skew} | {severity:g} | {moved} | {named} | {share} | {' | '.join(seen)} |")
    return told


def _count(trials: Sequence[Trial], monitor: str) -> str:
    looked = [trial for trial in trials if _looked(trial, monitor)]
    waits = [wait for trial in looked if (wait := trial.nights_to_detection(monitor)) is not None]
    if not looked or not waits:
        return "" if not looked else "0"
    late = "" if median(waits) == 1 else f" (night {median(waits):g})"
    return f"{len(waits)}/{len(looked)}{late}"


def picture(trials: Sequence[Trial], path: Path) -> None:
    """Draw skews by monitors: on which night each saw each at severity 1, in the median of the worlds; above, false alarms."""
    monitors = _asked(trials)
    by_skew = {skew: some for (skew, severity), some in _by_skew(trials).items() if severity == 1}
    nights = max((len(trial.nights) for some in by_skew.values() for trial in some), default=1)
    grid = np.full((len(by_skew), len(monitors)), float(nights + 1))
    for i, some in enumerate(by_skew.values()):
        for j, monitor in enumerate(monitors):
            waits = [trial.nights_to_detection(monitor) or nights + 1 for trial in some if _looked(trial, monitor)]
            grid[i, j] = median(waits) if waits else np.nan
    figure, axes = plt.subplots(figsize=(1.5 + 0.62 * len(monitors), 1.6 + 0.27 * len(by_skew)))
    image = axes.imshow(grid, aspect="auto", cmap=_colours(nights), vmin=0.5, vmax=nights + 1.5)
    axes.set_xticks(range(len(monitors)), monitors, rotation=40, ha="right")
    axes.set_yticks(range(len(by_skew)), list(by_skew))
    axes.tick_params(length=0)
    wolf = [_false_alarms(trials, monitor) for monitor in monitors]
    above = axes.secondary_xaxis("top")
    above.set_xticks(range(len(monitors)), [f"{alarms:.0f}" for alarms in wolf])
    above.set_xlabel("false alarms in 100 clean nights")
    above.tick_params(length=0)
    for label, alarms in zip(above.get_xticklabels(), wolf, strict=True):
        label.set_color("firebrick" if alarms else "black")
    bar = figure.colorbar(image, ax=axes, ticks=range(1, nights + 2), shrink=0.4)
    bar.ax.set_yticklabels([*(f"night {night}" for night in range(1, nights + 1)), "never"])
    axes.set_title("On which night each monitor first sees each skew", pad=12)
    figure.savefig(path, bbox_inches="tight", dpi=120)
    plt.close(figure)


def _colours(nights: int) -> mpl.colors.ListedColormap:
    greens = mpl.colormaps["viridis"](np.linspace(0.75, 0.3, nights))
    return mpl.colors.ListedColormap([*greens, (0.9, 0.9, 0.9, 1.0)])


def _asked(trials: Sequence[Trial]) -> list[str]:
    asked = {one.monitor for trial in trials for one in trial.found}
    return [monitor for monitor in MONITORS if monitor in asked]


def _looked(trial: Trial, monitor: str) -> bool:
    return any(one.monitor == monitor for one in trial.found)


def _by_skew(trials: Sequence[Trial]) -> dict[tuple[str, float], list[Trial]]:
    found: dict[tuple[str, float], list[Trial]] = {}
    for trial in trials:
        if trial.first is not None:
            found.setdefault((trial.skew, trial.severity), []).append(trial)
    return dict(sorted(found.items(), key=lambda one: (one[0][0], -one[0][1])))
