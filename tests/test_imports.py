"""Who may import whom: the contract holds, and it would tell where it did not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("contract", "batch", "streaming", "serving", "monitoring", "lab")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contract_holds() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("streaming", "batch.listens"),
        ("batch", "streaming.counting"),
        ("serving", "streaming.redis_store"),
        ("contract", "lab.world"),
        ("monitoring", "lab.run"),
    ],
)
def test_it_breaks_where_one_part_imports_what_it_must_not(house: Path, importer: str, imported: str) -> None:
    (house / importer / "culprit.py").write_text(f"import {imported}\n")
    done = lint(house)
    assert done.returncode == 1
    assert f"{importer}.culprit -> {imported}" in done.stdout
