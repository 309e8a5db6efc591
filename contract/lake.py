"""The lake's log: what was archived, up to where, and where the nights' cuts are.

The archiver writes data files first and one ``Commit`` last; a file that no commit names does not exist for any reader. The cut
of the night at T is, per partition, the offset of its watermark T, so a night needs no consumer to know it.

A lake is written in a folder of this machine's file system. It is read there, or through ``Files`` wherever else it lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from contract.errors import CannotJudge, InfrastructureError
from contract.files import Files, LocalFiles
from contract.home import write_whole
from contract.windows import iso

SETTLED = "lake.json"
LAST_DATE = "9999-12-31"


class LakeFile(msgspec.Struct, frozen=True):
    """One Parquet file of ``LAKE_SCHEMA``: its path under the lake, the UTC date of its events, its rows."""

    path: str
    date: str
    rows: int


class Commit(msgspec.Struct, frozen=True):
    """The records ``[first, next)`` of one partition are in the lake.

    ``received_ms`` and ``watermark_ms`` are the partition's clock behind them. ``watermarks`` maps each new watermark (epoch
    ms) to its offset; ``activations`` lists the version records as (offset, version). History stands at offsets below 0.
    """

    partition: int
    first: int
    next: int
    received_ms: int | None
    watermark_ms: int | None
    watermarks: dict[int, int]
    activations: list[tuple[int, str]]
    files: list[LakeFile]
    rejected: int = 0
    rejected_file: str | None = None


class _Settled(msgspec.Struct, frozen=True):
    partitions: int


class Lake:
    """The committed part of a lake, read once per command: of a folder, or of ``Files`` that lie elsewhere."""

    def __init__(self, place: Path | Files) -> None:
        self._place: Files = LocalFiles(place) if isinstance(place, Path) else place

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder of this machine's file system."""
        return isinstance(self._place, LocalFiles)

    @property
    def folder(self) -> Path:
        """The folder to write to.

        Raises:
            InfrastructureError: the lake is no folder of this machine's file system.
        """
        if isinstance(self._place, LocalFiles):
            return self._place.folder
        raise InfrastructureError(f"The lake {self} is only read from here", "", "Work on the lake of a home")

    def __str__(self) -> str:
        return str(self._place.folder) if isinstance(self._place, LocalFiles) else self._place.root

    def settle(self, partitions: int) -> None:
        """Fix how many partitions the lake has; once fixed, it is so for life.

        Raises:
            InfrastructureError: it has another number of them.
        """
        known = self.partitions()
        if not known:
            write_whole(self.folder / SETTLED, msgspec.json.encode(_Settled(partitions)))
        elif len(known) != partitions:
            raise InfrastructureError(
                f"The lake {self} has {len(known)} partitions, not {partitions}",
                "the count is fixed for the life of a lake",
                f"Set SKEWLAB_PARTITIONS={len(known)}, or begin another home",
            )

    def append(self, commit: Commit) -> None:
        """Make the files of a commit part of the lake."""
        order = commit.first + (1 << 62)  # history's offsets are negative; file names must sort
        write_whole(self.folder / _log(commit.partition) / f"{order:020d}.json", msgspec.json.encode(commit))

    def commits(self, partition: int) -> list[Commit]:
        """Return the commits of one partition, in offset order.

        Raises:
            InfrastructureError: a commit cannot be read or the log has a hole.
        """
        found: list[Commit] = []
        for name in self._place.names(_log(partition)):
            path = f"{_log(partition)}/{name}"
            try:
                commit = msgspec.json.decode(self._place.read(path) or b"", type=Commit)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise InfrastructureError(f"The lake's log {self}/{path} is broken", str(error), "Rebuild the lake") from error
            reached = found[-1].next if found else min(commit.first, 0)  # history stands below 0, everything else begins at it
            if commit.first != reached:
                raise InfrastructureError(
                    f"Partition {partition} of the lake has a hole between offsets {reached} and {commit.first}",
                    "",
                    "Rebuild the lake",
                )
            found.append(commit)
        return found

    def partitions(self) -> list[int]:
        """Return the partitions of the lake; none where it was never settled.

        Raises:
            InfrastructureError: the file that says so is broken.
        """
        settled = self._place.read(SETTLED)
        if settled is None:
            return []
        try:
            return list(range(msgspec.json.decode(settled, type=_Settled).partitions))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InfrastructureError(f"{self}/{SETTLED} is broken", str(error), "Rebuild the lake") from error

    def end(self, partition: int) -> int:
        """Return the offset behind the last archived record: 0 where there is none."""
        return next((commit.next for commit in reversed(self.commits(partition))), 0)

    def cut(self, as_of_ms: int) -> dict[int, int]:
        """Return the cut of the night at ``as_of_ms``: per partition, the offset of its watermark.

        Raises:
            CannotJudge: the lake is empty or has not reached that watermark everywhere.
        """
        partitions = self.partitions()
        if not partitions:
            raise CannotJudge("The lake is empty", f"{self} holds no committed event", "Archive some events first")
        cuts = {p: offset for p in partitions if (offset := self._watermark(p, as_of_ms)) is not None}
        missing = [str(p) for p in partitions if p not in cuts]
        if missing:
            raise CannotJudge(
                f"The lake has not reached {iso(as_of_ms)}",
                f"the watermark is missing in partition {', '.join(missing)}",
                "Let the collector and the archiver catch up",
            )
        return cuts

    def _watermark(self, partition: int, as_of_ms: int) -> int | None:
        return next((c.watermarks[as_of_ms] for c in self.commits(partition) if as_of_ms in c.watermarks), None)

    def nights(self) -> list[int]:
        """Return the instants of all watermarks that every partition has reached, in order."""
        reached = [{at for commit in self.commits(p) for at in commit.watermarks} for p in self.partitions()]
        return sorted(set.intersection(*reached)) if reached else []

    def active_version(self, partition: int, cut: int) -> str | None:
        """Return the version active for the records from ``cut`` on: that of the last activation below it."""
        named = [version for c in self.commits(partition) for offset, version in c.activations if offset < cut]
        return named[-1] if named else None

    def files(self, *, from_date: str = "", to_date: str = LAST_DATE) -> list[Path]:
        """Return the committed event files of a folder whose events fall in the given UTC dates, both included."""
        return [self.folder / path for path in self._event_files(from_date, to_date)]

    def uris(self, *, from_date: str = "", to_date: str = LAST_DATE) -> list[str]:
        """Return the same files as Spark is told of them, wherever the lake lies: as Hadoop paths with their scheme."""
        return [f"{self._place.root}/{path}" for path in self._event_files(from_date, to_date)]

    def _event_files(self, from_date: str, to_date: str) -> list[str]:
        return sorted({f.path for f in self._files() if from_date <= f.date <= to_date})

    def _files(self) -> Iterable[LakeFile]:
        for partition in self.partitions():
            for commit in self.commits(partition):
                yield from commit.files


def _log(partition: int) -> str:
    return f"log/p{partition:02d}"
