"""The podcast ranker as an artefact: numbers in a JSON file, nothing that runs.

The model scores a (listener, show) pair: ``1 / (1 + exp(-(((x - mean) / scale) . weights + bias)))``, where ``x`` holds the
columns named by ``columns``, in that order, a null being exchanged for its ``fill``. How a path puts ``x`` together is its own
matter; that both do it alike is what the monitor checks.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from contract.errors import UsageError


class Show(msgspec.Struct, frozen=True):
    """What a version knows of a show: its genre and the averages of all listeners."""

    show: str
    genre: str | None
    popularity: float
    completion: float
    minutes: float


class Ranker(msgspec.Struct, frozen=True):
    """A trained model. ``columns``, ``fill``, ``mean``, ``scale`` and ``weights`` are aligned."""

    columns: tuple[str, ...]
    fill: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    shows: tuple[Show, ...]
    trained_as_of_ms: int
    rows: int
    libraries: dict[str, str]
    metrics: dict[str, float]

    @property
    def digest(self) -> str:
        """SHA-256 of the artefact: the same model, the same digest."""
        return hashlib.sha256(_canonical(self)).hexdigest()

    def write(self, path: Path) -> None:
        """Write the artefact with its digest."""
        path.write_bytes(msgspec.json.encode({"digest": self.digest, "ranker": self}))

    @staticmethod
    def read(path: Path) -> Ranker:
        """Read an artefact.

        Raises:
            UsageError: the file is no artefact, or was changed since it was written.
        """
        try:
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UsageError(f"The ranker {path} cannot be read", str(error), "Run the night again") from error
        if stored.digest != stored.ranker.digest:
            raise UsageError(f"The ranker {path} is not what was written", "Its digest differs", "Run the night again")
        return stored.ranker


class _Stored(msgspec.Struct):
    digest: str
    ranker: Ranker


def _canonical(ranker: Ranker) -> bytes:
    return msgspec.json.encode(ranker, order="deterministic")


LISTENER_COLUMNS = ("plays_7d", "skip_rate_28d", "podcast_share_28d", "podcast_completion_28d")
"""The listener's own features; the same for all of a listener's candidates."""
SHOW_COLUMNS = ("popularity", "completion", "minutes")
"""The show's columns of ``Show``; the same for all listeners."""
PAIR_COLUMNS = ("show_completion_28d", "show_listens_28d", "genre_affinity")
"""The values of the pair: the two maps at the show, and the listener's affinity to the show's genre."""
COLUMNS = (*LISTENER_COLUMNS, *SHOW_COLUMNS, *PAIR_COLUMNS)
