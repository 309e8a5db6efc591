"""The lake's log: what was archived, up to where, and where the nights' cuts are.

The archiver writes data files first and one ``Commit`` last; a file that no commit names does not exist for any reader. The cut
of the night at T is, per partition, the offset of its watermark T, so a night needs no consumer to know it.

A compaction replaces the files that commits name, and nothing else of them: it writes all commits of a partition down again, in
one file beside theirs, which stands for them from then on. What it replaced is still there until the next one.

A lake is written in a folder of this machine's file system, by one process at a time. It is read there, or through ``Files``
wherever else it lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec

from contract.errors import CannotJudge, InfrastructureError
from contract.files import Files, LocalFiles
from contract.home import write_whole
from contract.lock import locked
from contract.windows import iso

SETTLED = "lake.json"
LAST_DATE = "9999-12-31"

_NAMED = re.compile(r"p(\d+)-(-?\d+)-(-?\d+)\.parquet")
"""A data file: its partition, its first offset, the offset behind it."""
_COMPACTED = "compacted-"
"""Begins the names of files that stand for many commits; they sort behind those of single commits."""


class LakeFile(msgspec.Struct, frozen=True):
    """A commit's events of one UTC date: in which Parquet file of ``LAKE_SCHEMA`` under the lake, and how many rows of it.

    Several commits share a compacted file: each says how many of its rows are its own.
    """

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


_Together = Annotated[list[Commit], msgspec.Meta(min_length=1)]


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

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer of the lake: an archiver or a compaction. Readers never wait.

        Raises:
            InfrastructureError: another process writes it.
        """
        with locked(self.folder / ".lock", wait=False) as mine:
            if not mine:
                why = "another archiver or a compaction is at work in it"
                raise InfrastructureError(
                    f"Nothing can be written to the lake {self}", why, "Wait until it is done and run it again"
                )
            yield

    def append(self, commit: Commit) -> None:
        """Make the files of a commit part of the lake."""
        write_whole(self.folder / _log(commit.partition) / f"{_order(commit.first)}.json", msgspec.json.encode(commit))

    def replace(self, partition: int, commits: Sequence[Commit]) -> None:
        """Let these stand for all commits of a partition: the same ones, but for the paths of their files.

        Commits and files that are replaced so stay where they are, for readers that know them already, until ``sweep``.
        """
        numbers = [int(_number(name)) for name in self._place.names(_log(partition)) if name.startswith(_COMPACTED)]
        name = f"{_COMPACTED}{max(numbers, default=0) + 1:08d}.json"
        write_whole(self.folder / _log(partition) / name, msgspec.json.encode(commits))

    def sweep(self, *, replaced: bool) -> None:
        """Remove what writers left that were killed; with ``replaced`` also what compactions have replaced.

        To be called by the lake's only writer: what another one is just writing looks the same.
        """
        logs = {partition: self.commits(partition) for partition in self.partitions()}
        ends = {partition: commits[-1].next for partition, commits in logs.items() if commits}
        named = {path for commits in logs.values() for commit in commits for path in _paths(commit)}
        for path in self._data_files():
            partition, first = _place_of(path)
            behind = partition in logs and first >= ends.get(partition, first)
            if (replaced or behind) and path.relative_to(self.folder).as_posix() not in named:
                path.unlink()
        for path in self.folder.rglob("*.tmp"):
            path.unlink()
        for partition in logs if replaced else ():
            for name in self._superseded(partition):
                (self.folder / _log(partition) / name).unlink()

    def _data_files(self) -> list[Path]:
        """Return all data files with names as writers give them, whether a commit names them or not."""
        found = (path for pattern in ("events/*/*", "rejected/*") for path in self.folder.glob(pattern))
        return [path for path in found if _NAMED.fullmatch(path.name)]

    def commits(self, partition: int) -> list[Commit]:
        """Return the commits of one partition, in offset order.

        Raises:
            InfrastructureError: a commit cannot be read or the log has a hole.
        """
        found: list[Commit] = []
        for commit in self._written(partition):
            reached = found[-1].next if found else min(commit.first, 0)  # history stands below 0, everything else begins at it
            if commit.first != reached:
                raise InfrastructureError(
                    f"Partition {partition} of the lake has a hole between offsets {reached} and {commit.first}",
                    "",
                    "Rebuild the lake",
                )
            found.append(commit)
        return found

    def _written(self, partition: int) -> Iterator[Commit]:
        """Yield what the newest compaction wrote down, then the commits behind it."""
        names = self._place.names(_log(partition))
        end = ""
        for name in [name for name in names if name.startswith(_COMPACTED)][-1:]:
            together = self._decoded(f"{_log(partition)}/{name}", _Together)
            end = _order(together[-1].next)
            yield from together
        for name in names:
            if not name.startswith(_COMPACTED) and name >= end:
                yield self._decoded(f"{_log(partition)}/{name}", Commit)

    def _superseded(self, partition: int) -> list[str]:
        """Return the names of the files of a partition's log that a compaction stands for."""
        names = self._place.names(_log(partition))
        together = [name for name in names if name.startswith(_COMPACTED)]
        if not together:
            return []
        end = _order(self._decoded(f"{_log(partition)}/{together[-1]}", _Together)[-1].next)
        return [*together[:-1], *(name for name in names if not name.startswith(_COMPACTED) and name < end)]

    def _decoded(self, path: str, kind: Any) -> Any:
        try:
            return msgspec.json.decode(self._place.read(path) or b"", type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InfrastructureError(f"The lake's log {self}/{path} is broken", str(error), "Rebuild the lake") from error

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
        return [self.folder / file.path for file in self.event_files(from_date=from_date, to_date=to_date)]

    def uris(self, *, from_date: str = "", to_date: str = LAST_DATE) -> list[str]:
        """Return the same files as Spark is told of them, wherever the lake lies: as Hadoop paths with their scheme."""
        return [f"{self._place.root}/{file.path}" for file in self.event_files(from_date=from_date, to_date=to_date)]

    def event_files(self, *, from_date: str = "", to_date: str = LAST_DATE) -> list[LakeFile]:
        """Return the same files, each once and with all its rows, whichever commits share it."""
        rows: dict[tuple[str, str], int] = {}
        for file in self._shares():
            if from_date <= file.date <= to_date:
                rows[file.path, file.date] = rows.get((file.path, file.date), 0) + file.rows
        return [LakeFile(path, date, rows[path, date]) for path, date in sorted(rows)]

    def _shares(self) -> Iterable[LakeFile]:
        for partition in self.partitions():
            for commit in self.commits(partition):
                yield from commit.files


def event_path(date: str, partition: int, first: int, end: int) -> str:
    """Return where, below the lake, the file of a date's events lies that stood in a partition at offsets in [first, end)."""
    return f"events/event_date={date}/{_file_name(partition, first, end)}"


def rejected_path(partition: int, first: int, end: int) -> str:
    """Return where, below the lake, the bad records lie that stood in a partition at offsets in [first, end)."""
    return f"rejected/{_file_name(partition, first, end)}"


def _file_name(partition: int, first: int, end: int) -> str:
    return f"p{partition:02d}-{first}-{end}.parquet"


def _log(partition: int) -> str:
    return f"log/p{partition:02d}"


def _order(first: int) -> str:
    """Write an offset so that names sort as offsets do: history's are negative."""
    return f"{first + (1 << 62):020d}"


def _place_of(data_file: Path) -> tuple[int, int]:
    """Return the partition and the first offset in a data file's name."""
    found = _NAMED.fullmatch(data_file.name)
    assert found is not None
    return int(found[1]), int(found[2])


def _number(name: str) -> str:
    return name.removeprefix(_COMPACTED).removesuffix(".json")


def _paths(commit: Commit) -> list[str]:
    rejected = [commit.rejected_file] if commit.rejected_file else []
    return [*(file.path for file in commit.files), *rejected]
