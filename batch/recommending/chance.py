"""Seeded chance of each listener: it depends on the seed, the night and the name alone, not on who else there is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from contract.rows import Floats


def chances(seed: int, night_ms: int, users: Sequence[str], width: int) -> Floats:
    """Return ``width`` numbers in [0, 1) for each listener, (n, width)."""
    found = np.empty((len(users), width))
    for i, user in enumerate(users):
        digest = hashlib.blake2b(f"{seed}/{night_ms}/{user}".encode(), digest_size=16).digest()
        found[i] = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little"))).random(width)
    return found
