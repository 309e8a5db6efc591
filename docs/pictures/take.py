"""Take the README's picture: runs the demo and photographs the head of its report. ``make picture`` does it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chromium import opened

PICTURE = Path(__file__).parent / "report.png"
HEIGHT = 1047
"""Down to the foot of the timeline."""


def main() -> int:
    """Run the demo in a home of its own; return its exit code."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "lab.cli", "demo", "--home", home, "--json"]
        code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
        with opened(Path(home) / "reports" / "report.html", height=HEIGHT) as page:
            page.screenshot(path=PICTURE)
    return code


if __name__ == "__main__":
    sys.exit(main())
