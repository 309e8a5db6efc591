"""How a lake's log is read: what a lake asks of the place where it lies, and the place that is a folder of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from contract.errors import InfrastructureError


class Files(Protocol):
    """How a lake is read. Paths are below its root, with ``/`` between their parts."""

    @property
    def root(self) -> str:
        """The address of the lake as a Hadoop path, scheme included."""

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's ``*.json`` files in order; none where it is not there."""

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, or None where it is not there."""


class LocalFiles:
    """Files in a folder of this machine's file system.

    Raises:
        InfrastructureError: from each of its methods, where something is there and may not be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def root(self) -> str:
        """The folder with its scheme; nothing is escaped, since Hadoop's paths are not."""
        return f"file://{self.folder.absolute()}"

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's ``*.json`` files in order; none where it is not there."""
        try:
            return sorted(path.name for path in (self.folder / folder).iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unread(self.folder / folder, error) from error

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, or None where it is not there."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unread(self.folder / path, error) from error


def _unread(path: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(f"{path} cannot be read", error.strerror or str(error), "Let this user read the lake")
