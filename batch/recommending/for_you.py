"""The first shelf: the best items by score, made diverse, with some slots kept for exploration; and one for each context."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from batch.frames import PARTS
from batch.neighbours import Ints, Mask, best
from batch.recommending.block import Block, taken
from batch.recommending.diversity import diverse, relevances
from batch.recommending.reasons import personal_reasons
from batch.recommending.shelf import Clause, Shelf
from contract.event import DEVICES
from contract.recommendation import DEVICE, EXPLORE, FOR_YOU, PART
from contract.rows import Floats

SHOWN = 20
EXPLORED, EXPLORED_ON_WISH = 1, 3
"""Of ten slots so many explore: what is never shown is never learnt, and a tenth of the slots costs little."""
PROMISING = 0.25
"""The part of the open items, the best by score, from which exploration draws."""
SHOWN_IN_CONTEXT = 10
EVIDENCE = 20.0
"""Plays by everybody's habit added to each item before its lift is taken: a song played twice at night is no night song."""
TELLING = 1.2
"""A lift from which on it is a reason."""


def for_you(block: Block, explorers: Mask, explored: int = EXPLORED) -> Shelf:
    """Return the shelf; ``explorers`` (b,) says who wants to explore more, ``explored`` of ten slots explore for the others."""
    items, scores = block.candidates
    picks = diverse(block.crowd.pool, items, scores, SHOWN)
    chosen = np.where(picks >= 0, taken(items, picks), -1)
    tried = _explored(block, chosen)
    kept = _slots(explorers, explored)
    slots = kept & (np.cumsum(kept, axis=1) <= (tried >= 0).sum(axis=1)[:, None])
    nth = np.cumsum(slots, axis=1) - 1
    shown = np.where(slots, taken(tried, nth), taken(chosen, np.arange(SHOWN)[None, :] - nth - 1))
    shelf = Shelf(FOR_YOU, shown, taken(block.scores, shown), (Clause(EXPLORE, slots),))
    return shelf.with_reasons(_unless(slots, personal_reasons(block, shown)))


def _slots(explorers: Mask, explored: int) -> Mask:
    """Tell which slots explore, (b, SHOWN): spread evenly, never the first."""
    share = np.where(explorers, EXPLORED_ON_WISH, explored)[:, None]
    place = np.arange(SHOWN)
    return np.asarray((place + 1) * share // 10 > place * share // 10)


def _explored(block: Block, chosen: Ints) -> Ints:
    """Draw what the listener's own scores leave open: not ``chosen`` by them, yet in the better ``PROMISING`` part."""
    ranked = np.sort(block.scores, axis=1)  # what is not open comes first
    least = ranked.shape[1] - (block.open_to.sum(axis=1) * PROMISING).astype(np.int64)
    likely = block.scores >= np.hstack([ranked, np.full((len(ranked), 1), np.inf)])[np.arange(len(ranked)), least][:, None]
    row, place = np.nonzero(chosen >= 0)
    likely[row, chosen[row, place]] = False
    return best(np.where(likely, block.chance, -1.0), SHOWN, above=-0.5)[0]


def _unless(slots: Mask, clauses: list[Clause]) -> list[Clause]:
    """Take a personal reason from what was drawn by chance: it was not why it was drawn."""
    return [Clause(clause.kind, clause.there & ~slots, clause.about, clause.value) for clause in clauses]


def in_context(block: Block) -> Iterator[Shelf]:
    """Yield the candidates again for each part of the day and each device, by relevance times lift."""
    contexts = block.crowd.heard.contexts
    if contexts is None:
        return
    items, scores = block.candidates
    relevance = relevances(scores, items >= 0)
    for kind, names, plays in ((PART, PARTS, contexts.parts), (DEVICE, DEVICES, contexts.devices)):
        lift = lifts(block.crowd.pool.counts(block.crowd.heard, plays))
        for i, name in enumerate(names):
            here = lift[:, i][items]
            value = np.where(items >= 0, relevance * here, -1.0)
            places, found = best(value, SHOWN_IN_CONTEXT, above=-0.5)
            shown = np.where(places >= 0, taken(items, places), -1)
            telling = taken(here, places)
            shelf = Shelf(f"{FOR_YOU}/{name}", shown, found, (Clause(kind, telling >= TELLING, name, telling),))
            yield shelf.with_reasons(personal_reasons(block, shown))


def lifts(plays: Floats) -> Floats:
    """Return how much likelier each item is played in a context than everything is, smoothed, (m, c); 1 says nothing.

    ``plays`` (m, c) are counts by context. A context in which nothing is played lifts nothing.
    """
    total = plays.sum()
    usual = plays.sum(axis=0) / total if total else np.zeros(plays.shape[1])
    share = (plays + EVIDENCE * usual) / (plays.sum(axis=1, keepdims=True) + EVIDENCE)
    return np.asarray(np.divide(share, usual, out=np.ones_like(share), where=usual > 0))
