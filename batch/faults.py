"""Where the lake cannot be read the file is named, in one line: a night is made of all of it or not at all.

Before Spark begins, each file is held to what its commit promised: Spark takes an empty file for no rows, and a column that is
missing for nulls. What lies deeper (a page that cannot be decoded) is found when Spark reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from contract.errors import InfrastructureError
from contract.event import LAKE_SCHEMA
from contract.home import FULL
from contract.lake import Lake, LakeFile
from contract.windows import DAY_MS, iso_date

LOOKBACK_DAYS = 40
"""How far a night looks back: seven midnights to train on, 28 days before each, the replays before those, two days late."""
TODO = "Put it back from a copy, or remove the lake and archive the log again"

_UNREAD = re.compile(r"(?:FAILED_READ_FILE\S* Encountered error while reading file|Path does not exist:) (\S+?)\.?\s")
_CAUSE = re.compile(r"^Caused by: [\w.$]+: (.+)$", re.MULTILINE)
_FULL = re.compile(r"No space left on device|Disk quota exceeded")


@contextmanager
def reading(lake: Lake, as_of_ms: int) -> Iterator[None]:
    """Check the files that a night at ``as_of_ms`` reads, then tell what Spark finds in them meanwhile.

    Raises:
        InfrastructureError: a file is missing, broken or not what was committed; or the disk is full under Spark.
    """
    require_whole(lake, from_date=iso_date(max(as_of_ms - LOOKBACK_DAYS * DAY_MS, 0)), to_date=iso_date(as_of_ms))
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        fault = _fault(str(error))
        if fault is None:
            raise
        raise fault from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _full(error.strerror or str(error)) from error


def require_whole(lake: Lake, *, from_date: str, to_date: str) -> None:
    """Make sure that each committed file of these UTC dates, both included, has the rows and columns that were committed.

    Raises:
        InfrastructureError: one has not.
    """
    if not lake.is_local:
        return  # left to Spark
    for file in lake.event_files(from_date=from_date, to_date=to_date):
        _require(lake.folder / file.path, file)


def _require(path: Path, file: LakeFile) -> None:
    try:
        seen = path.stat()
        _require_rows(path, file.rows, (seen.st_size, seen.st_mtime_ns, seen.st_ino))
    except OSError as error:
        raise _unread(str(path), error.strerror or str(error)) from error


@lru_cache(maxsize=1 << 16)
def _require_rows(path: Path, rows: int, _: tuple[int, ...]) -> None:
    """Look into a file once; the next night of this process looks again only where it is another file by now."""
    try:
        found = pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        raise _unread(str(path), getattr(error, "strerror", None) or str(error)) from error
    missing = [name for name in LAKE_SCHEMA.names if name not in found.schema.to_arrow_schema().names]
    if missing:
        raise _unread(str(path), f"it has no column '{missing[0]}'")
    if found.num_rows != rows:
        raise _unread(str(path), f"it has {found.num_rows} rows, {rows} were committed")


def _fault(said: str) -> InfrastructureError | None:
    """Understand what Spark said; None where it is not about a file or the disk."""
    if (unread := _UNREAD.search(said)) is not None:
        causes = _CAUSE.findall(said)
        return _unread(unread[1].removeprefix("file://").removeprefix("file:"), causes[-1] if causes else "it is missing")
    full = _FULL.search(said)
    return _full(full[0]) if full else None


def _full(why: str) -> InfrastructureError:
    return InfrastructureError("Spark could not set aside what it works on", why, "Free the disk and run it again")


def _unread(path: str, why: str) -> InfrastructureError:
    return InfrastructureError(f"The lake's file {path} cannot be read", why.strip()[:300], TODO)
