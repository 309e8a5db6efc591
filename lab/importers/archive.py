"""Somebody's export as a zip, a folder or one file: looked into as it lies, and never unpacked to disk.

Nothing in an export is trusted. A name in a zip only chooses what is read; nothing is ever written under it. Links, names that
lead elsewhere and archives within are left out and counted. What is read is bounded while it is read (``bounds``).
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from contract.errors import UsageError
from lab.importers import bounds
from lab.importers.bounds import AS_IT_CAME, TOO_MANY, Budget, Frugal, Opened, begins, plain, readable, shown, too_large

_ARCHIVES = frozenset((".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst"))
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The other methods unpack without a bound on what a piece becomes, and no export uses them."""


@dataclass
class Export:
    """What may be read of an export: ``names`` of sound files in code point order; ``files`` counts what was read and left out.

    ``single`` says that the path named one file, which is to be read whatever it is called.
    """

    path: Path
    names: list[str]
    single: bool
    files: Counter[str]
    _open: Callable[[str], Opened]
    _budget: Budget = field(default_factory=Budget, init=False)

    def contents(self, chosen: Sequence[str]) -> Iterator[tuple[str, bytearray]]:
        """Read the chosen files one by one, as (name, content).

        Raises:
            UsageError: nothing was chosen, a file cannot be read, or it is larger than any export's.
        """
        if not chosen:
            rest = [f"{count} {why}" for why, count in self.files.items()]
            held = "; ".join([f"it holds {len(self.names)} files of other kinds", *rest])
            raise UsageError(f"There is no listening history in {self.path}", held, "Name the export itself")
        if len(chosen) < len(self.names):
            self.files["left out: no listening history"] += len(self.names) - len(chosen)
        for name in chosen:
            with readable(name):
                stream, packed = self._open(name)
                with closing(stream):
                    content = self._budget.drain(name, stream, packed)
            self.files["files read"] += 1
            yield name, content


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open a zip, a folder or a file (which may be gzipped).

    Raises:
        UsageError: there is nothing, it cannot be read, or it holds more files than any export.
    """
    with ExitStack() as held:
        with readable(str(path)):
            export = _opened(path, held)
        yield export


def _opened(path: Path, held: ExitStack) -> Export:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return _of_folder(path)
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is neither a file nor a folder", "", "Name the export's zip, its folder or one of its files")
    if path.suffix.lower() == ".zip" or begins(path, b"PK"):
        return _of_zip(path, held.enter_context(zipfile.ZipFile(held.enter_context(Frugal(path)))))
    return Export(path, [path.name], True, Counter(), lambda _: plain(path))


def _of_zip(path: Path, archive: zipfile.ZipFile) -> Export:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > bounds.MOST_FILES:
        raise UsageError(f"{path} is no export", TOO_MANY, AS_IT_CAME)
    faults = {id(member): _fault(member.filename, member.external_attr >> 16) for member in members}
    sound = [member for member in members if faults[id(member)] is None]
    by_name = {member.filename: member for member in sound}
    twice = Counter(member.filename for member in sound)

    def opened(name: str) -> Opened:
        member = by_name[name]
        if twice[name] > 1:
            raise UsageError(f"{path} holds two files named '{shown(name)}'", "which of them holds is a guess", AS_IT_CAME)
        if member.flag_bits & 0x1 or member.compress_type not in _METHODS:
            raise UsageError(
                f"'{shown(name)}' cannot be read", "it is encrypted or packed in an odd way", "Unpack it, and name its folder"
            )
        if member.file_size > bounds.LARGEST_FILE:
            raise too_large(name)
        return archive.open(member), member.compress_size

    return Export(path, sorted(by_name), False, Counter(fault for fault in faults.values() if fault), opened)


def _of_folder(path: Path) -> Export:
    found: dict[str, Path] = {}
    faults: Counter[str] = Counter()
    seen = 0
    for folder, folders, files in os.walk(path, onerror=_raise):
        seen += len(folders) + len(files)
        if seen > bounds.MOST_FILES:
            raise UsageError(
                f"{path} is no export", f"it holds more than {bounds.MOST_FILES:,} files", "Name the export's own folder"
            )
        for file in (Path(folder) / name for name in [*folders, *files]):
            mode = file.lstat().st_mode
            name = file.relative_to(path).as_posix()
            fault = None if stat.S_ISDIR(mode) else _fault(name, mode)
            if fault:
                faults[fault] += 1
            elif stat.S_ISREG(mode):
                found[name] = file
    return Export(path, sorted(found), False, faults, lambda name: plain(found[name]))


def _fault(name: str, mode: int) -> str | None:
    """Return why a file of this name and mode is left out, or None. A mode of 0 says nothing."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "left out: a link, or no ordinary file"
    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":":
        return "left out: a name that leads elsewhere"
    if PurePosixPath(name).suffix.lower() in _ARCHIVES:
        return "left out: an archive within the export"
    return None


def _raise(error: OSError) -> None:
    raise error
