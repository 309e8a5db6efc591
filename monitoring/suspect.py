"""The suspect: which skew of the catalogue, with which parameter, makes one path's code say what the other path said.

1. The live path's clean code is gone through again over the same records. Where it agrees with the batch path and not with what
   was served, the fault is on the live side; where it agrees with what was served, on the batch side.
2. Each skew of that side, with each value that it says is worth a try, is put into that side's code from the onset on. The one
   under which code and record agree is named, with the share of the differing rows that it explains.
3. Where none alone explains enough, pairs of those are tried that explain the features that they move.

Nothing is looked up of what was injected: neither seed nor severity. Whom chance picked is not known either; so a skew that hits
some listeners is put on everybody, and only rows that differ are held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pyarrow as pa

from batch.listens import REQUEST
from contract.features import NAMES
from contract.skew import Skew
from monitoring.compare import align, tolerable
from monitoring.incident import Suspect
from monitoring.night import once

ENOUGH = 0.5
"""A suspect is named from this share of explained rows on: whole rows do not agree by coincidence."""
PAIRED = 6
"""So many skews are tried in pairs, the best at the features that they move."""

Key = tuple[object, ...]
Paths = Callable[[Sequence[Skew]], pa.Table]


@dataclass(frozen=True)
class Evidence:
    """What both paths said at some nights, and how to ask each path's code again under some skews, for the same requests.

    ``batch_again`` may be None: then the batch side is not searched.
    """

    batch: pa.Table
    live: pa.Table
    live_again: Paths
    batch_again: Paths | None = None


@dataclass(frozen=True)
class Difference:
    """In which requests two tables differ beyond tolerance, in which features, and which requests only one of them answers."""

    keys: frozenset[Key]
    features: frozenset[str]
    lonely: frozenset[Key]


@dataclass(frozen=True)
class Explained:
    """How well some skews together explain what differs."""

    skews: tuple[Skew, ...]
    share: float
    """Of the rows that differ, those that are as these skews make them."""
    precision: float
    """Of the rows that they would have moved, those that differ; 1 where a skew hits some listeners only."""
    hit: float
    """The same without that exception: the share of listeners that seem to be hit."""

    @property
    def score(self) -> float:
        """What suspects are ordered by."""
        return self.share * self.precision

    @property
    def order(self) -> tuple[object, ...]:
        """The best first: by score, then who needs less to explain as much."""
        some = sum(type(skew).hits_some() for skew in self.skews)
        moved = sum(len(skew.moves) for skew in self.skews)
        return (-round(self.score, 6), len(self.skews), some, moved, self.name)

    @property
    def name(self) -> str:
        """The skews by id."""
        return " + ".join(skew.id for skew in self.skews)

    @property
    def parameter(self) -> str:
        """Their parameters in words."""
        return " + ".join(filter(None, (self._said(skew) for skew in self.skews)))

    def _said(self, skew: Skew) -> str:
        whom = f"{self.hit:.0%} of listeners" if type(skew).hits_some() else ""
        return ", ".join(filter(None, (skew.told, whom)))


def find_suspect(evidence: Evidence, catalogue: Sequence[type[Skew]]) -> Suspect:
    """Name the skew that explains best why the paths differ, or none where no hypothesis explains enough."""
    ranked = suspects(evidence, catalogue)
    if not ranked:
        return Suspect()
    best, second = ranked[0], ranked[1].name if len(ranked) > 1 else None
    if best.share < ENOUGH:
        return Suspect(explained=round(best.share, 4), runner_up=best.name)
    return Suspect(best.name, best.parameter or None, round(best.share, 4), second)


def suspects(evidence: Evidence, catalogue: Sequence[type[Skew]]) -> list[Explained]:
    """Return all that explain anything, the best first, each skew or pair with its best value."""
    ranked = sorted(_explained(evidence, catalogue), key=lambda one: one.order)
    best = {one.name: one for one in reversed(ranked) if one.share > 0}
    return [one for one in ranked if best.get(one.name) is one]


def _explained(evidence: Evidence, catalogue: Sequence[type[Skew]]) -> list[Explained]:
    clean = evidence.live_again(())
    found: list[Explained] = []
    for side, said, again in (
        ("streaming", evidence.live, evidence.live_again),
        ("batch", evidence.batch, evidence.batch_again),
    ):
        case = _Case(clean, once(said))
        if again is not None and case.difference.keys:
            found += _searched(case, again, [skew for skew in catalogue if skew.side == side])
    return found


@dataclass(frozen=True)
class _Case:
    """One side: what its clean code says, and what it did say."""

    clean: pa.Table
    said: pa.Table
    """With each request once: a skew may give two listeners one name."""

    @cached_property
    def difference(self) -> Difference:
        return difference(self.clean, self.said)

    def judge(self, skews: tuple[Skew, ...], made: pa.Table) -> Explained:
        """Hold what some skews make against what was said."""
        wrong, moved = self.difference.keys, difference(self.clean, made).keys
        left = difference(made, self.said).keys
        hit = len(moved & wrong) / len(moved) if moved else 0.0
        precision = 1.0 if moved and any(type(skew).hits_some() for skew in skews) else hit
        return Explained(skews, len((wrong & moved) - left) / len(wrong), precision, hit)

    def judge_partly(self, skew: Skew, made: pa.Table) -> float:
        """Return how many of the rows that differ in the features of a skew it explains, in these features."""
        mine = sorted(set(skew.moves) & self.difference.features)
        wrong = difference(self.clean, self.said, mine).keys
        left = difference(made, self.said, mine).keys
        return len(wrong - left) / len(wrong) if wrong else 0.0


def _searched(case: _Case, again: Paths, catalogue: Sequence[type[Skew]]) -> list[Explained]:
    able = [kind for kind in catalogue if _may_have_part(kind, case.difference)]
    alone = [kind for kind in able if case.difference.features <= set(kind.moves)]
    whole = [case.judge((skew,), once(again((skew,)))) for kind in alone for skew in kind.hypotheses()]
    if any(one.share >= ENOUGH for one in whole):
        return whole
    others = [kind for kind in able if kind not in alone]
    partly = [(case.judge_partly(skew, once(again((skew,)))), skew) for kind in others for skew in kind.hypotheses()]
    return [*whole, *(case.judge(pair, once(again(pair))) for pair in _pairs(case, whole, partly))]


def _pairs(case: _Case, whole: Sequence[Explained], partly: Iterable[tuple[float, Skew]]) -> Iterator[tuple[Skew, Skew]]:
    """Yield the pairs that are worth a try: of different skews that explain their own features, and together move all."""
    good = [(share, skew) for share, skew in partly if share >= ENOUGH]
    good += [(one.share, one.skews[0]) for one in whole if one.share > 0]
    best: dict[str, tuple[float, Skew]] = {}
    for share, skew in good:
        if skew.id not in best or share > best[skew.id][0]:
            best[skew.id] = share, skew
    first = sorted(best.values(), key=lambda one: (-one[0], len(one[1].moves), one[1].id))[:PAIRED]
    for (_, a), (_, b) in combinations(first, 2):
        if case.difference.features <= {*a.moves, *b.moves}:
            yield a, b


def _may_have_part(kind: type[Skew], seen: Difference) -> bool:
    """Tell whether a skew could move any of what differs: a feature, or whether there is a row."""
    names_rows = bool(_hooks(kind) & {"serves", "keys", "event", "transport", "state", "clock", "batch_events"})
    return bool(seen.features & set(kind.moves)) or bool(seen.lonely and names_rows)


def _hooks(kind: type[Skew]) -> set[str]:
    return {name for one in kind.__mro__ if one not in (Skew, object) for name in vars(one) if hasattr(Skew, name)}


def difference(left: pa.Table, right: pa.Table, features: Sequence[str] = NAMES) -> Difference:
    """Return where two tables of rows differ beyond the features' tolerances."""
    pair = align(left, right, REQUEST)
    bad = {name: ~tolerable(pair, name) for name in features}
    wrong = np.logical_or.reduce(list(bad.values())) if bad else np.zeros(len(pair), bool)
    lonely = {*_keys(pair.missing), *_keys(pair.extra)}
    differs = _keys(pair.left.filter(pa.array(wrong)))
    moved = frozenset(name for name, mask in bad.items() if mask.any())
    return Difference(frozenset({*differs, *lonely}), moved, frozenset(lonely))


def _keys(table: pa.Table) -> list[Key]:
    return list(zip(*(table.column(name).to_pylist() for name in REQUEST), strict=True))
