"""Three skews drawn by a seed, each run, seen, named, healed and gone.

``python examples/session.py [SEED [HOME]]`` does what anybody can do by hand::

    skewlab run examples/session.yml --skew SKEW@1-3

Day 0 is clean, the skew acts on days 1 and 2, on day 3 it is healed. It ends with exit code 1 where one of the three did not come
out as told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
SKEWLAB = [sys.executable, "-m", "lab.cli"]
EXPECTED = ["pass", "fail", "fail", "pass"]


def asked(*arguments: str) -> Any:
    """Ask Skewlab for a document."""
    done = subprocess.run([*SKEWLAB, *arguments, "--json"], capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def drawn(seed: int) -> list[str]:
    """Draw three of the skews that parity should see."""
    known = [skew["id"] for skew in asked("skews", "list")["skews"] if "parity" in skew["seen_by"]]
    return [str(name) for name in np.random.default_rng(seed).choice(sorted(known), 3, replace=False)]


def lived(skew: str, home: Path) -> bool:
    """Run one, say what happened, and tell whether it came out as told."""
    document = asked("run", str(HERE / "session.yml"), "--skew", f"{skew}@1-3", "--home", str(home / skew))
    parity = [night["parity"] for night in document["nights"]]
    incident = (document["incidents"] or [{"suspect": {"skew": None}, "features": [], "recovered": None}])[0]
    print(f"{skew}: parity {', '.join(parity)}; {', '.join(incident['features']) or 'rows'}")
    print(f"  suspect {incident['suspect']['skew']} ({incident['suspect'].get('parameter')}), recovered {incident['recovered']}")
    return parity == EXPECTED and incident["suspect"]["skew"] == skew and document["nights"][-1]["exact"]


def main(seed: int, home: Path) -> int:
    """Live through three skews; return the exit code."""
    outcomes = [lived(skew, home) for skew in drawn(seed)]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, Path(sys.argv[2] if len(sys.argv) > 2 else ".skewlab/session")))
