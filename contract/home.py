"""Where things lie under ``--home``, and how a file gets there whole.

lake/events/event_date=…/p03-….parquet   valid events        lake/rejected/p03-….parquet   bad records with their reason
lake/log/p03/….json                      what the archiver committed: the only files that are ever read
lake/log/p03/compacted-….json            all commits up to a compaction, in place of theirs
lake/lake.json                           how many partitions the lake has, for life
snapshots/2026-01-08/p03-….parquet       the live path's rows of a night, by partition and cut
served/p03-….parquet                     the live path's logged rows
versions/2026-01-08                      what a night published            versions/CURRENT   the name of the active one
reports/  incidents/  overrides.json     what the monitor found; the skews that act
preferences.json                         what listeners have asked of the recommender
audit.log                                what was brought into service, by which command
tiles/listening/2026-01-08/KEY/…parquet  what nights have left for the nights after them
spark.log                                what Spark's JVM said
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InfrastructureError
from contract.windows import iso_date


@dataclass(frozen=True)
class Home:
    """The folder in which every command finds what another left."""

    root: Path

    @property
    def lake(self) -> Path:
        """The archived log."""
        return self.root / "lake"

    @property
    def snapshots(self) -> Path:
        """The live path's rows at the watermarks."""
        return self.root / "snapshots"

    @property
    def served(self) -> Path:
        """The live path's logged rows, archived."""
        return self.root / "served"

    @property
    def versions(self) -> Path:
        """What the nights published."""
        return self.root / "versions"

    @property
    def reports(self) -> Path:
        """Reports and Data Docs."""
        return self.root / "reports"

    @property
    def incidents(self) -> Path:
        """What the monitor opened."""
        return self.root / "incidents"

    @property
    def overrides(self) -> Path:
        """The skews that act, with the cuts since when."""
        return self.root / "overrides.json"

    @property
    def preferences(self) -> Path:
        """What listeners have asked of the recommender."""
        return self.root / "preferences.json"

    @property
    def tiles(self) -> Path:
        """Partial sums of days, which nights have left for those after them."""
        return self.root / "tiles"

    @property
    def spark_log(self) -> Path:
        """What Spark's JVM says."""
        return self.root / "spark.log"


def snapshot_path(home: Home, night_ms: int, partition: int, cut: int) -> Path:
    """Return the file of a partition's live rows as of a night whose watermark stands at offset ``cut``."""
    return home.snapshots / iso_date(night_ms) / f"p{partition:02d}-{cut:020d}.parquet"


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def placed_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to and move it into place at the end: all of it, or nothing.

    Raises:
        InfrastructureError: the disk did not take it; what stood at ``path`` before still does.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        todo = "Free the disk and run it again" if error.errno in FULL else "Name another place, or mend this one"
        raise InfrastructureError(f"{path} could not be written", error.strerror or str(error), todo) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file all at once or not at all."""
    with placed_whole(path) as temporary:
        temporary.write_bytes(content)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
