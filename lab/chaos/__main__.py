"""``python -m lab.chaos [--full] [--seed N] [--faults N] [--events N]``: it exits with 1 where something is wrong."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections import Counter
from pathlib import Path

from contract.errors import SkewlabError
from lab.chaos import FULL, SHORT, Outcome, Plan, run


def main() -> int:
    """Run, tell each fault as it is made, then what came of them."""
    try:
        with tempfile.TemporaryDirectory(prefix="skewlab-chaos-") as folder:
            outcome = run(_plan(), Path(folder), lambda fault: print(f"  {fault}", flush=True))
    except SkewlabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(told(outcome))
    return 1 if outcome.wrong else 0


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m lab.chaos", description="Faults at random; then the live path is compared.")
    parser.add_argument("--full", action="store_true", help="200 faults over 200,000 events, for an hour at most")
    for name in ("seed", "faults", "events"):
        parser.add_argument(f"--{name}", type=int)
    given = vars(parser.parse_args())
    changes = {name: value for name, value in given.items() if name != "full" and value is not None}
    return dataclasses.replace(FULL if given["full"] else SHORT, **changes)


def told(outcome: Outcome) -> str:
    """Say what a run was and what came of it, in a few lines."""
    faults = "\n".join(f"  {count:5d}  {kind}" for kind, count in sorted(outcome.faults.items()))
    lines = [
        f"{outcome.faults.total()} faults over {outcome.records} records in {outcome.seconds:.0f} s:\n{faults}",
        f"Compared: {outcome.rows} live rows, {outcome.rankings} rankings, {outcome.snapshots} snapshots, "
        f"{outcome.dead_letters} dead letters, {outcome.archived} archived events, with those of a calm run.",
        f"Compared: {_told(outcome.batch)}, with what the batch path computes.",
        f"{outcome.repeats} published records came more than once; {outcome.refused} writes were refused.",
        *outcome.ended,
        *(f"WRONG: {what}" for what in outcome.wrong),
    ]
    return "\n".join([*lines, *([] if outcome.wrong else ["All is as if nothing had happened."])])


def _told(rows: Counter[tuple[str, str]]) -> str:
    return ", ".join(f"{count} {which} of version {version}" for (which, version), count in sorted(rows.items())) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
