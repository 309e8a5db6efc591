"""The classroom's recommendations: what the three listeners most like you enjoy, and who they are; or something honest.

A class is small and known, so reasons name listeners here. What a night publishes is made in ``batch.recommending`` and names
nobody.

Listeners with a taste get what their neighbours enjoy, then what nobody has heard yet and is like what they enjoy, then what
is popular. Who has heard nothing gets what is popular around them; who has skipped everything gets something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from batch.engagement import Engagement
from batch.neighbours import Ints, neighbours, recommend
from contract.catalogue import Catalogue
from contract.features import FeatureConstants
from contract.rows import Floats

FEW = 5
"""A country of fewer listeners says nothing of what is popular there."""


class Recommendation(msgspec.Struct, frozen=True):
    """An item for a listener; scores of different kinds of reasons are not to be compared."""

    item: str
    score: float
    reason: str


@dataclass(frozen=True)
class Recommender:
    """The recommendations of an engagement's listeners."""

    heard: Engagement
    catalogue: Catalogue
    constants: FeatureConstants
    seed: int = 0

    @cached_property
    def near(self) -> tuple[Ints, Floats]:
        """The nearest listeners of each, and their cosines."""
        return neighbours(self.heard.matrix)

    def nearest(self) -> list[list[tuple[str, float]]]:
        """Return the nearest listeners of each, with their cosines."""
        users = self.heard.users
        index, cosine = self.near
        return [[(users[j], float(c)) for j, c in zip(a, b, strict=True) if j >= 0] for a, b in zip(index, cosine, strict=True)]

    def all(self, top: int) -> list[list[Recommendation]]:
        """Return up to ``top`` recommendations for each listener, in their order."""
        skipped = self.constants.skip_tenths / 10
        index, score = recommend(self.heard.matrix, *self.near, skipped, top)
        return [self._of(i, index[i], score[i], top) for i in range(len(self.heard.users))]

    def _of(self, i: int, index: Ints, score: Floats, top: int) -> list[Recommendation]:
        row = self._row(i)
        if not row:
            sources = [self._popular(i)]
        elif max(row.values()) <= self.constants.skip_tenths / 10:
            sources = [self._something_else(i)]
        else:
            sources = [self._from_neighbours(i, index, score), self._unheard(i), self._popular(i)]
        found: dict[str, Recommendation] = {}
        for one in (one for source in sources for one in source):
            if len(found) == top:
                break
            found.setdefault(one.item, one)
        return list(found.values())

    def _row(self, i: int) -> dict[int, float]:
        matrix = self.heard.matrix
        part = slice(matrix.indptr[i], matrix.indptr[i + 1])
        return dict(zip(matrix.indices[part].tolist(), matrix.data[part].tolist(), strict=True))

    def _from_neighbours(self, i: int, index: Ints, score: Floats) -> Iterator[Recommendation]:
        near, cosine = self.near[0][i], self.near[1][i]
        rows = [(self.heard.users[j], c, self._row(j)) for j, c in zip(near.tolist(), cosine.tolist(), strict=True) if j >= 0]
        for column, value in zip(index.tolist(), score.tolist(), strict=True):
            if column >= 0:
                who, _, their = max(rows, key=lambda one: one[1] * one[2].get(column, 0.0))
                reason = f"{who}, who listens much as you do, {self._does(their[column])}"
                yield Recommendation(self.heard.items[column], value, reason)

    def _does(self, value: float) -> str:
        if value * 10 >= self.constants.replay_tenths:
            return "plays it again and again"
        if value * 10 >= self.constants.play_tenths:
            return "plays it"
        return "does not mind it" if value * 10 > self.constants.skip_tenths else "skipped it too: nothing better is left"

    def _unheard(self, i: int) -> Iterator[Recommendation]:
        """Yield items without listeners, by how much the listener enjoys the artist or else the genre."""
        enjoyed = self._enjoyed(i)
        unheard = [item for name, item in self.catalogue.items.items() if name not in self._listened]
        scored = []
        for item in unheard:
            like, value = max(
                ((name, enjoyed[name]) for name in (item.artist, item.effective_genre) if name in enjoyed),
                key=lambda one: one[1],
                default=("", 0.0),
            )
            if value * 10 >= self.constants.play_tenths:
                scored.append((-value, item.item_id, like))
        for negative, item_id, like in sorted(scored):
            yield Recommendation(item_id, -negative, f"nobody has heard it yet, and you like {like}")

    def _enjoyed(self, i: int) -> dict[str | None, float]:
        """Return the mean engagement with each artist and genre."""
        values: dict[str | None, list[float]] = {}
        for column, value in self._row(i).items():
            item = self.catalogue.items.get(self.heard.items[column])
            for name in (item.artist, item.effective_genre) if item else ():
                values.setdefault(name, []).append(value)
        return {name: float(np.mean(found)) for name, found in values.items() if name is not None}

    @cached_property
    def _listened(self) -> set[str]:
        columns = np.unique(self.heard.matrix.indices).tolist()
        return {self.heard.items[j] for j in columns}

    def _popular(self, i: int) -> Iterator[Recommendation]:
        """Yield what is enjoyed most around the listener: by summed engagement over everybody of the country."""
        here = self.heard.country.get(self.heard.users[i])
        who = [j for j, user in enumerate(self.heard.users) if here is not None and self.heard.country.get(user) == here]
        around = f"in {here}" if len(who) >= FEW else "with everybody"
        part = self.heard.matrix[who] if len(who) >= FEW else self.heard.matrix
        liked, plays = np.asarray(part.sum(axis=0)).reshape(-1), _plays(part, self.constants)
        yield from self._ranked(
            i, np.where(plays > 0, liked, 0.0), lambda j: f"popular {around}: {plays[j]} of {part.shape[0]} play it"
        )

    def _something_else(self, i: int) -> Iterator[Recommendation]:
        """Yield, for somebody who skipped everything, what others enjoy, the unheard first, in a seeded order."""
        rng = np.random.default_rng([self.seed, i])
        liked = np.asarray(self.heard.matrix.sum(axis=0)).reshape(-1)
        heard = np.array([j in self._row(i) for j in range(len(liked))])
        order = np.where(heard, 0.0, 1.0) + rng.random(len(liked)) * (liked > 0) / 2
        yield from self._ranked(i, order, lambda _: "you have skipped everything so far: something else, by chance")

    def _ranked(self, i: int, value: Floats, why: Callable[[int], str]) -> Iterator[Recommendation]:
        enjoyed = {j for j, own in self._row(i).items() if own > self.constants.skip_tenths / 10}
        for j in np.argsort(-value, kind="stable").tolist():
            if j not in enjoyed and value[j] > 0:
                yield Recommendation(self.heard.items[j], float(value[j]), why(j))


def _plays(part: object, constants: FeatureConstants) -> Ints:
    matrix = part.tocsc()  # type: ignore[attr-defined]
    played = np.rint(matrix.data * 10) >= constants.play_tenths
    return np.bincount(np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))[played], minlength=matrix.shape[1])
