"""What tests share: one Spark session for all of them, a desk for imports, the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.session import open_session
from contract.home import Home
from lab.cli import main
from lab.machine.java import use_java
from tests.desk import Desk
from tests.saying import Said, Say
from tests.whole import small_lake


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """Return the session of this process."""
    use_java()
    return open_session(tmp_path_factory.mktemp("spark") / "spark.log")


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, int]:
    """A home that no night has run in, and the midnight that its lake has reached; tests work on copies of it."""
    home = Home(tmp_path_factory.mktemp("reached"))
    return home, small_lake(home)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk of the test's own."""
    return Desk(tmp_path)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "STACK", "PARTITIONS", "STEP_EVENTS"):
        monkeypatch.delenv(f"SKEWLAB_{name}", raising=False)

    def run(*arguments: object) -> Said:
        monkeypatch.setattr("sys.argv", ["skewlab", *map(str, arguments)])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        return Said(code, *capsys.readouterr())

    return run
