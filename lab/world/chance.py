"""Seeded chance: every purpose and day has its own stream, so that a day can be made alone."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def stream(seed: int, purpose: str, day: int = 0) -> np.random.Generator:
    """Return the generator of a purpose and day; equal arguments give equal numbers."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{day}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def draw(rng: np.random.Generator, cumulative: Floats) -> Ints:
    """Draw one column per row; ``cumulative`` (n, k) holds each row's cumulative weights, their last the total."""
    at = rng.random(len(cumulative)) * cumulative[:, -1]
    found: Ints = (cumulative <= at[:, None]).sum(axis=1)
    return np.asarray(np.minimum(found, cumulative.shape[1] - 1))


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)))
