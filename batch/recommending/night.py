"""All shelves of a night: whose are personal, whose are not, and the file that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch.neighbours import Mask
from batch.recommending.block import Block, blocks
from batch.recommending.crowd import Crowd
from batch.recommending.discover import discover_weekly
from batch.recommending.fallback import popular, something_else
from batch.recommending.for_you import for_you, in_context
from batch.recommending.mixes import daily_mixes
from batch.recommending.radar import release_radar
from batch.recommending.shelf import Clause, Shelf, table
from contract.preferences import Preference, Preferences
from contract.recommendation import FILE, NOT_PERSONAL, PRIVATE, SCHEMA


def write_recommendations(draft: Path, crowd: Crowd, wishes: Preferences, night_ms: int, seed: int) -> None:
    """Write ``recommendations.parquet``, a block of listeners at a time, each a row group."""
    with pq.ParquetWriter(draft / FILE, SCHEMA, compression="zstd") as file:
        for part in recommendations(crowd, wishes, night_ms, seed):
            file.write_table(part)


def recommendations(crowd: Crowd, wishes: Preferences, night_ms: int, seed: int) -> Iterator[pa.Table]:
    """Yield the shelves of all listeners as tables of ``contract.recommendation.SCHEMA``, in their order."""
    items = np.array(crowd.pool.items, object)
    if not len(items):
        return
    for block in blocks(crowd, night_ms, seed):
        yield table([*shelves(block, [wishes.get(user, Preference()) for user in block.users])], block.users, items)


def shelves(block: Block, wishes: list[Preference]) -> Iterator[Shelf]:
    """Yield the shelves of a block; each listener's are those of their wishes and of what they have heard."""
    crowd = block.crowd
    heard = crowd.heard.matrix[block.rows]
    personal = np.array([wish.personal for wish in wishes], bool)
    some = personal & (np.diff(heard.indptr) > 0)
    taste = some & (heard.max(axis=1).toarray().reshape(-1) > crowd.skipped)
    private = np.array([wish.privacy_first for wish in wishes], bool)
    places = [None if hidden else crowd.heard.country.get(user) for user, hidden in zip(block.users, private, strict=True)]
    around = popular(crowd, places)
    shape = around.items.shape
    off = [_where(private, shape, PRIVATE), _where(~private & ~personal, shape, NOT_PERSONAL)]
    yield _only(replace(around, clauses=(*off, *around.clauses)), ~some)
    yield _only(something_else(block), some & ~taste)
    first = for_you(block, np.array([wish.explore for wish in wishes], bool))
    for shelf in (first, *daily_mixes(block), discover_weekly(block, first.items), release_radar(block), *in_context(block)):
        if shelf is not None:
            yield _only(shelf, taste)


def _where(who: Mask, shape: tuple[int, ...], kind: str) -> Clause:
    return Clause(kind, np.broadcast_to(who[:, None], shape))


def _only(shelf: Shelf, who: Mask) -> Shelf:
    return replace(shelf, items=np.where(who[:, None], shelf.items, -1))
