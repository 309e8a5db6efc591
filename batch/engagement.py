"""Who engages with what: the (listener, item) matrix that vectors, neighbours and recommendations are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812
from scipy.sparse import csr_array

from batch.asked import Night
from batch.frames import PARTS
from contract.catalogue import Catalogue
from contract.event import DEVICES, Ints


@dataclass(frozen=True)
class Contexts:
    """When and on what everybody plays each item: plays by ``PARTS`` (items, 4) and by ``DEVICES`` (items, 5)."""

    parts: Ints
    devices: Ints

    @staticmethod
    def none(items: int) -> Contexts:
        """Nobody has played anything."""
        return Contexts(np.zeros((items, len(PARTS)), np.int64), np.zeros((items, len(DEVICES)), np.int64))


@dataclass(frozen=True)
class Engagement:
    """``matrix[i, j]`` is the engagement of ``users[i]`` with ``items[j]``, 0 where there is no listen; names ascend.

    ``country`` is where each listener was last, where anybody knows; ``contexts`` is aligned with the items.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    matrix: csr_array
    country: Mapping[str, str] = field(default_factory=dict)
    contexts: Contexts | None = None

    def known(self, catalogue: Catalogue) -> Engagement:
        """Return the part whose items a catalogue knows."""
        which = [j for j, item in enumerate(self.items) if item in catalogue.items]
        items = tuple(self.items[j] for j in which)
        contexts = Contexts(self.contexts.parts[which], self.contexts.devices[which]) if self.contexts else None
        return Engagement(self.users, items, csr_array(self.matrix[:, which]), self.country, contexts)


def engagement(night: Night) -> Engagement:
    """Collect the pairs of a night that was asked for with ``people``."""
    listeners = _named(night.frames["listeners"].select("request", "user_id", "last_place").toArrow(), "request", "user_id")
    things = _named(night.frames["items"].select("item", "item_id").distinct().toArrow(), "item", "item_id")
    pairs = night.partials.pairs.select("request", "item", "tenths").toArrow()
    row, column = _places(listeners, pairs.column("request")), _places(things, pairs.column("item"))
    matrix = csr_array((pairs.column("tenths").to_numpy() / 10, (row, column)), (len(listeners.names), len(things.names)))
    matrix.sort_indices()
    country = dict(zip(listeners.names, map(_country, listeners.table.column("last_place").to_pylist()), strict=True))
    return Engagement(listeners.names, things.names, matrix, country, _contexts(night, things))


@dataclass(frozen=True)
class _Named:
    """A table by name, and where each hash stands in it."""

    table: pa.Table
    names: tuple[str, ...]
    hashes: Ints
    order: Ints


def _named(table: pa.Table, hashed: str, name: str) -> _Named:
    in_order = table.sort_by(name)
    hashes = in_order.column(hashed).to_numpy()
    order = np.argsort(hashes)
    return _Named(in_order, tuple(in_order.column(name).to_pylist()), hashes[order], order)


def _places(named: _Named, hashes: pa.ChunkedArray) -> Ints:
    """Return where the hashes' names stand."""
    return np.asarray(named.order[np.searchsorted(named.hashes, hashes.to_numpy())])


def _country(last_place: int) -> str:
    """Read the two letters behind an instant (see ``batch.frames``)."""
    return chr(last_place >> 8 & 0xFF) + chr(last_place & 0xFF)


def _contexts(night: Night, things: _Named) -> Contexts:
    found = night.frames["contexts"].groupBy("item", "part", "device").agg(F.sum("plays").alias("plays")).toArrow()
    contexts = Contexts.none(len(things.names))
    item, count = _places(things, found.column("item")), found.column("plays").to_numpy()
    np.add.at(contexts.parts, (item, found.column("part").to_numpy()), count)
    np.add.at(contexts.devices, (item, found.column("device").to_numpy()), count)
    return contexts
