"""The podcast ranker as an artefact: numbers in a JSON file, nothing that runs.

The model scores a (listener, show) pair: ``1 / (1 + exp(-logit(x)))``, where ``x`` holds the columns named by ``columns``, in
that order, a null being exchanged for its ``fill``. The logit is that of a ``Linear`` model or of ``Trees``. How a path puts
``x`` together and computes the logit is its own matter; that both do it alike is what the monitor checks.

What is no such model can be neither made nor read: lengths, ranges and sizes are checked, so that a scorer may trust them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contract.errors import UsageError

LARGEST_FILE = 16 * 1024 * 1024
"""No artefact has more bytes: 50,000 shows and all the trees that are allowed fit in."""
MOST_TREES = 200
MOST_NODES = 127
DEEPEST = 6
"""How far a leaf may lie below the root. Trees and depth bound the work of scoring a pair."""
LEAF = -1


class Linear(msgspec.Struct, frozen=True, tag="linear"):
    """Logit ``((x - mean) / scale) . weights + bias``; the three lists have an entry a column, ``scale`` is positive."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def check(self, width: int) -> None:
        """Raise ValueError where this is no model of ``width`` columns."""
        _require({len(self.mean), len(self.scale), len(self.weights)} == {width}, "the lists of the model differ in length")
        _require(_finite((*self.mean, *self.scale, *self.weights, self.bias)), "a number of the model is not finite")
        _require(all(value > 0 for value in self.scale), "a scale is not positive")


class Tree(msgspec.Struct, frozen=True):
    """A regression tree in five aligned lists, its root first.

    From node i an ``x`` goes on to ``left[i]`` where ``x[feature[i]] <= threshold[i]``, else to ``right[i]``; children stand
    behind their parent. Where ``feature[i]`` is ``LEAF`` it ends with ``value[i]``, and the other entries mean nothing.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def check(self, width: int) -> None:
        """Raise ValueError where this is no tree over ``width`` columns."""
        n = len(self.feature)
        _require({len(self.threshold), len(self.left), len(self.right), len(self.value)} == {n}, "the lists of a tree differ")
        _require(1 <= n <= MOST_NODES, f"a tree has {n} nodes, not 1 to {MOST_NODES}")
        _require(_finite((*self.threshold, *self.value)), "a number of a tree is not finite")
        depth = [0] * n
        for i, feature in enumerate(self.feature):
            _require(LEAF <= feature < width, f"a tree asks for column {feature}")
            for child in (self.left[i], self.right[i]) if feature != LEAF else ():
                _require(i < child < n, f"node {i} of a tree leads to {child}")
                depth[child] = max(depth[child], depth[i] + 1)
        _require(max(depth) <= DEEPEST, f"a tree is deeper than {DEEPEST}")


class Trees(msgspec.Struct, frozen=True, tag="trees"):
    """Logit ``prior + learning_rate * (the sum of what the trees say)``: gradient boosting (Friedman 2001)."""

    prior: float
    learning_rate: float
    trees: tuple[Tree, ...]

    def check(self, width: int) -> None:
        """Raise ValueError where this is no model of ``width`` columns."""
        _require(_finite((self.prior, self.learning_rate)), "a number of the model is not finite")
        _require(1 <= len(self.trees) <= MOST_TREES, f"there are {len(self.trees)} trees, not 1 to {MOST_TREES}")
        for tree in self.trees:
            tree.check(width)


Model = Linear | Trees


class Show(msgspec.Struct, frozen=True):
    """What a version knows of a show: its genre and the averages of all listeners."""

    show: str
    genre: str | None
    popularity: float
    completion: float
    minutes: float


class Ranker(msgspec.Struct, frozen=True):
    """A trained model with what it needs and where it came from. ``columns`` and ``fill`` are aligned.

    Raises:
        ValueError: it is nothing that could be scored with.
    """

    columns: tuple[str, ...]
    fill: tuple[float, ...]
    model: Model
    shows: tuple[Show, ...]
    trained_as_of_ms: int
    rows: int
    libraries: dict[str, str]
    metrics: dict[str, float]

    def __post_init__(self) -> None:
        """Refuse what is no ranker."""
        _require(len(set(self.columns)) == len(self.columns), "a column is named twice")
        _require(set(self.columns) <= set(COLUMNS), "a column has an unknown name")
        _require(len(self.fill) == len(self.columns) and _finite(self.fill), "the fills are not one finite number a column")
        self.model.check(len(self.columns))
        _require(len({show.show for show in self.shows}) == len(self.shows) > 0, "the shows are none or not distinct")
        _require(
            _finite(v for s in self.shows for v in (s.popularity, s.completion, s.minutes)), "a fact of a show is not finite"
        )

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
            _require(path.stat().st_size <= LARGEST_FILE, f"it has more than {LARGEST_FILE} bytes")
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        except (OSError, ValueError, RecursionError) as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
            raise UsageError(f"The ranker {path} cannot be read", str(error), "Run the night again") from error
        if stored.digest != stored.ranker.digest:
            raise UsageError(f"The ranker {path} is not what was written", "Its digest differs", "Run the night again")
        return stored.ranker


class _Stored(msgspec.Struct):
    digest: str
    ranker: Ranker


def _canonical(ranker: Ranker) -> bytes:
    return msgspec.json.encode(ranker, order="deterministic")


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)


def _finite(values: Iterable[float]) -> bool:
    return all(map(math.isfinite, values))


LISTENER_COLUMNS = ("plays_7d", "skip_rate_28d", "podcast_share_28d", "podcast_completion_28d")
"""The listener's own features; the same for all of a listener's candidates."""
SHOW_COLUMNS = ("popularity", "completion", "minutes")
"""The show's columns of ``Show``; the same for all listeners."""
PAIR_COLUMNS = ("show_completion_28d", "show_listens_28d", "genre_affinity")
"""The values of the pair: the two maps at the show, and the listener's affinity to the show's genre."""
COLUMNS = (*LISTENER_COLUMNS, *SHOW_COLUMNS, *PAIR_COLUMNS)
