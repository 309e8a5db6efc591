"""The scripted session: three skews that a seed draws are run, seen, named, healed, and gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.spark
def test_three_skews_are_seen_named_and_healed(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "session.py"), "3", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if "parity" in line]
    assert len(told) == 3
    assert all("parity pass, fail, fail, pass" in line for line in told)
