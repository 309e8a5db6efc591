"""Published versions: what a night made and the live path scores with.

A version is a link to a folder that was complete before it was linked: so it is complete or absent, and published again in one
move. It holds all that a row needs to be computed again: the catalogue, the item vectors and the ranker; and what the night
computed. ``initial`` has a catalogue only and is active before the first activation.

versions/2026-01-08 -> .2026-01-08.3f2a…   a version      versions/.2026-01-09.81bc…   one that is being built, or was left
versions/CURRENT   the name of the active one             versions/.lock               held by whoever builds one
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from contract.catalogue import Catalogue
from contract.errors import InfrastructureError, UsageError
from contract.home import write_whole
from contract.lock import locked
from contract.version import INITIAL, POPULAR, PREFERENCES, TRAINING, TRAINING_SCHEMA, ItemVectors, Manifest, Version

__all__ = [
    "INITIAL", "POPULAR", "PREFERENCES", "TRAINING", "TRAINING_SCHEMA", "ItemVectors", "Manifest", "Version", "Versions",
]  # fmt: skip


class Versions:
    """The folder of published versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Version:
        """Return a published version.

        Raises:
            UsageError: there is none of this name.
        """
        there = self.names()
        if name not in there:
            known = f"there are {', '.join(there)}" if there else "there is none at all"
            raise UsageError(f"There is no version '{name}' in {self.folder}", known, "See 'skewlab versions'")
        return Version(self.folder / name)

    def names(self) -> list[str]:
        """Return the names of all published versions, oldest first."""
        found = (path.parent.name for path in self.folder.glob("*/manifest.json"))
        return sorted((name for name in found if not name.startswith(".")), key=lambda name: (name != INITIAL, name))

    @contextmanager
    def building(self, name: str) -> Iterator[Path]:
        """Give a draft to build a version in, and to ``publish`` at the end; what is not published then is removed.

        Raises:
            InfrastructureError: another version is being built here, or the disk did not take this one. What was published
                before stays as it was.
        """
        with locked(self.folder / ".lock", wait=False) as mine:
            if not mine:
                todo = "Wait until it is done and run it again"
                raise InfrastructureError(f"No version can be built in {self.folder}", "another one is being built", todo)
            try:
                yield self.draft(name)
            except OSError as error:
                why = error.strerror or str(error)
                todo = f"Version '{self.current}' stays in use: free the disk and run it again"
                raise InfrastructureError(f"The version '{name}' could not be written", why, todo) from error
            finally:
                self._sweep()

    def draft(self, name: str) -> Path:
        """Return an empty folder to build a version in, which nothing reads before ``publish``; drafts that died are removed."""
        self._sweep()
        draft = self.folder / f".{name}.{uuid.uuid4().hex[:12]}"
        draft.mkdir(parents=True)
        return draft

    def publish(self, draft: Path, manifest: Manifest) -> Version:
        """Make a finished draft a version: its manifest is written last, then the name is linked to it, in one move."""
        _flush(draft)
        write_whole(draft / "manifest.json", msgspec.json.encode(manifest))
        link = draft.with_name(f"{draft.name}.link")
        link.symlink_to(draft.name, target_is_directory=True)
        link.replace(self.folder / manifest.version)
        self._sweep()
        return Version(self.folder / manifest.version)

    def _sweep(self) -> None:
        """Remove what no name links to: drafts that died, links that were not moved into place, builds that were replaced."""
        linked = {(self.folder / name).resolve() for name in self.names()}
        for left in self.folder.glob(".*.*"):
            if left.is_symlink():
                left.unlink()
            elif left.is_dir() and left.resolve() not in linked:
                shutil.rmtree(left, ignore_errors=True)

    def publish_initial(self, catalogue: Catalogue) -> Version:
        """Publish the version that holds the catalogue alone."""
        with self.building(INITIAL) as draft:
            catalogue.write(draft / "catalogue.parquet")
            return self.publish(draft, Manifest(INITIAL, 0, {}, INITIAL, None, None, 0))

    @property
    def current(self) -> str:
        """The name of the version that the pointer names."""
        pointer = self.folder / "CURRENT"
        return pointer.read_text().strip() if pointer.exists() else INITIAL

    def point_to(self, name: str) -> None:
        """Move the pointer, atomically."""
        write_whole(self.folder / "CURRENT", self.get(name).name.encode())


def _flush(folder: Path) -> None:
    """Wait until the disk has every file of a folder: a link that outlives a loss of power must not lead to holes."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
