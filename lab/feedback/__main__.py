"""``python -m lab.feedback [PICTURE]``: the tables of ``docs/feedback.md``, and its picture where a file is named."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from contract.rows import Floats
from lab.feedback.loop import experiment
from lab.feedback.measures import MEASURES
from lab.feedback.picture import picture

SEEDS, USERS, WEEKS = (1, 2, 3), 300, 20
TOLD = (1, 10, 20)


def main(arguments: Sequence[str]) -> None:
    """Run the experiment, print each measure's table, and draw the picture."""
    found = experiment(SEEDS, USERS, WEEKS)
    for place, measure in enumerate(MEASURES):
        _print(measure, {arm: values[:, :, place] for arm, values in found.items()})
    for name in arguments:
        Path(name).write_text(picture(found), "utf-8")


def _print(measure: str, found: Mapping[str, Floats]) -> None:
    """Print the mean over the seeds at the weeks ``TOLD``, and the least and the most."""
    print(f"| {measure} |" + "".join(f" week {week} |" for week in TOLD) + "\n|---|" + "---|" * len(TOLD))
    for arm, values in found.items():
        told = [values[:, week - 1] for week in TOLD]
        print(f"| {arm} |" + "".join(f" {one.mean():.3f} ({one.min():.3f} to {one.max():.3f}) |" for one in told))
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
