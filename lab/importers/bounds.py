"""What is read of an export, piece by piece and within bounds, whatever it says of its own sizes; and how it may be named."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from contract.errors import UsageError

MOST_FILES = 10_000
"""An export holds some dozens of files; ListenBrainz's, a file a month, some hundreds."""
LARGEST_TABLE = 2 << 20
"""Bytes of a zip's table of contents: 10,000 entries of 200 bytes. It is read at once, so a longer one is not read at all."""
LARGEST_FILE = 256 << 20
"""Bytes of one file, unpacked. Spotify splits at 12 MB; a lifetime of listens in a single file has about 200 MB."""
LARGEST_EXPORT = 1 << 30
"""Bytes of all files read. Ten years of heavy listening have about 150 MB."""
STEEPEST = 200
"""Bytes unpacked from one byte. Such JSON shrinks to a tenth or a thirtieth; a bomb of zeros to a thousandth."""
CHUNK = 1 << 20

AS_IT_CAME = "Give the export as it came"
TOO_MANY = f"it holds more than {MOST_FILES:,} files, or a table of contents for as many"
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, struct.error, OverflowError,
    IndexError,
)  # fmt: skip
"""What reading a broken zip raises, depending on where it is broken."""


class Stream(Protocol):
    """What a file is read from, piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``; none at the end."""

    def close(self) -> None:
        """End it."""


Opened = tuple[Stream, int]
"""A stream, and how many bytes it is made from."""


class Frugal(io.FileIO):
    """A file that gives no large piece at once, so that no table of contents of any length is swallowed."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most ``size`` bytes.

        Raises:
            UsageError: that would be more than ``LARGEST_TABLE``.
        """
        rest = os.fstat(self.fileno()).st_size - self.tell()
        if (rest if size is None or size < 0 else min(size, rest)) > LARGEST_TABLE:
            raise UsageError(f"{self.name} is no export", TOO_MANY, AS_IT_CAME)
        return super().read(-1 if size is None else size) or b""


class Budget:
    """How much of an export was read so far, all files together."""

    def __init__(self) -> None:
        self._spent = 0

    def drain(self, name: str, stream: Stream, packed: int) -> bytearray:
        """Read a stream to its end.

        Raises:
            UsageError: it, or all that was read, is larger than any export, or it unpacks from next to nothing.
        """
        content = bytearray()
        while chunk := stream.read(CHUNK):
            content += chunk
            self._spent += len(chunk)
            if len(content) > LARGEST_FILE or self._spent > LARGEST_EXPORT:
                raise too_large(name)
            if len(content) > max(CHUNK, STEEPEST * packed):
                why = f"it unpacks to over {STEEPEST} times its size"
                raise UsageError(f"'{shown(name)}' is no listening history", why, AS_IT_CAME)
        return content


def plain(path: Path) -> Opened:
    """Open a file, through gzip where it is gzipped.

    Raises:
        UsageError: it is larger than any export's.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise too_large(path.name)
    return (gzip.open(path) if begins(path, b"\x1f\x8b") else path.open("rb")), size


def begins(path: Path, mark: bytes) -> bool:
    """Tell whether a file begins with these bytes."""
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def shown(name: str) -> str:
    """Return a name out of an export as it may be printed: short, and without control characters."""
    return (name if name.isprintable() else ascii(name)[1:-1])[:80]


def too_large(name: str) -> UsageError:
    """Return what is raised for a file that is larger than any export's."""
    limit = f"it, or all that is read, is larger than any export: {LARGEST_FILE >> 20} and {LARGEST_EXPORT >> 20} MB"
    return UsageError(f"'{shown(name)}' is not read", limit, AS_IT_CAME)


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn whatever reading a broken file raises into one line.

    Raises:
        UsageError: the file is not there, or cannot be read.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError(f"There is no {name}", "", "Name the export's zip, its folder or one of its files") from error
    except _UNREADABLE as error:
        why, todo = shown(str(error)) or type(error).__name__, "It may be broken or cut short: download the export again"
        raise UsageError(f"{shown(name)} cannot be read", why, todo) from error
