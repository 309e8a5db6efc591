"""Small crowds for the tests of recommendations: listeners from lists of engagement."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from batch.engagement import Contexts, Engagement
from batch.recommending.block import Block
from batch.recommending.crowd import Crowd
from contract.catalogue import Catalogue, Item
from contract.features import FeatureConstants
from contract.preferences import Preferences
from contract.versions import ItemVectors

NIGHT = 1_767_571_200_000
"""2026-01-05, midnight."""


def song(name: str, artist: str, genre: str | None, energy: float | None = None, valence: float | None = None) -> Item:
    return Item(name, name.title(), artist=artist, genre=genre, energy=energy, valence=valence)


def heard(
    rows: dict[str, list[float]], items: tuple[str, ...], country: dict[str, str] | None = None, contexts: Contexts | None = None
) -> Engagement:
    matrix = csr_array(np.array(list(rows.values()), np.float64).reshape(len(rows), len(items)))
    return Engagement(tuple(rows), items, matrix, country or {}, contexts)


def crowd_of(engagement: Engagement, catalogue: Catalogue, wishes: Preferences | None = None) -> Crowd:
    return Crowd.of(engagement, catalogue, ItemVectors.none(), wishes or {}, FeatureConstants(), seed=0)


def block_of(crowd: Crowd, seed: int = 0, night_ms: int = NIGHT) -> Block:
    return Block(crowd, slice(0, len(crowd.heard.users)), night_ms, seed)
