"""The versions of a chaos run: the catalogue alone, then two with all that a night publishes, each by its own chance."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from batch.recommending.for_you import SHOWN
from contract.catalogue import Catalogue
from contract.home import Home
from contract.preferences import Preference, write_preferences
from contract.recommendation import FILE, Recommended
from contract.versions import INITIAL, POPULAR, PREFERENCES, ItemVectors, Manifest, Versions
from lab.bench.stream_world import bench_ranker, write_shelves
from lab.chaos.log import ACTIVE_FROM_MS, catalogue, listener
from lab.world.chance import stream

NAMES = (INITIAL, *ACTIVE_FROM_MS)
"""In the order in which they come into service."""
KNOWN, WITH_VECTOR = 0.9, 0.9
"""The share of listeners who have a shelf, and of items that have a vector."""
WISHES = (*[Preference()] * 8, Preference(personalisation=False), Preference(privacy_first=True))


def publish(home: Home, seed: int, listeners: int) -> None:
    """Publish all versions; the same arguments give the same ones."""
    versions = Versions(home.versions)
    versions.publish_initial(catalogue())
    users = sorted(map(listener, range(listeners)))
    for number, name in enumerate(ACTIVE_FROM_MS):
        _publish(versions, name, catalogue(*("folk", "soul")[:number]), users, stream(seed, f"chaos version {name}"))


def _publish(versions: Versions, name: str, known: Catalogue, users: Sequence[str], rng: np.random.Generator) -> None:
    items = list(known.items)
    with versions.building(name) as draft:
        known.write(draft / "catalogue.parquet")
        _vectors(items, rng).write(draft / "item_vectors.parquet")
        write_shelves(draft / FILE, [user for user in users if rng.random() < KNOWN], items, rng)
        popular = tuple(Recommended(item, 0.5) for item in rng.choice(items, SHOWN, replace=False).tolist())
        (draft / POPULAR).write_bytes(msgspec.json.encode(popular))
        write_preferences(draft / PREFERENCES, {user: WISHES[rng.integers(len(WISHES))] for user in users})
        ranker = bench_ranker(known, rng)
        ranker.write(draft / "ranker.json")
        versions.publish(draft, Manifest(name, 0, {}, name, 0, ranker.digest, 0))


def _vectors(items: Sequence[str], rng: np.random.Generator) -> ItemVectors:
    some = tuple(item for item in items if rng.random() < WITH_VECTOR)
    return ItemVectors(some, rng.normal(0, 1, (len(some), int(rng.integers(4, 17)))))
