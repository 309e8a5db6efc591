"""What is written of a step, or of a rebuilt partition: states and rows by listener, the outbox, where the partition stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contract.keys import SHOWS, SONGS
from contract.rows import Rows
from contract.stored import packed_rows
from contract.versions import Version
from streaming.outbox import dead_letter, served
from streaming.songs import top_songs
from streaming.step import DeadLetter, PartitionPath, Step
from streaming.store import Meta, Rankings, Write


def write_of(path: PartitionPath, step: Step, known_items: int, served_share: float) -> Write:
    """Return what a step has changed; rows of a share of the listeners are logged as served."""
    listeners = path.states.listeners
    rows: dict[str, bytes | None] = {}
    rankings: dict[str, Rankings] = {}
    outbox = [dead_letter(path.partition, letter) for letter in step.dead]
    if step.snapshot_ms is not None and step.rows is not None:
        rows = dict.fromkeys({*listeners, *step.changed} - set(step.rows.user_id))
    elif step.rows is not None and len(step.rows):
        rows = dict(_packed(path, step.rows))
        rankings = _rankings(path, step.rows)
        outbox += served(step.rows, served_share)
    states = {user: listeners.get(user) for user in step.changed}
    fresh = path.states.items.names[known_items:]
    return Write(step.first, _meta(path), known_items, fresh, states, rows, outbox, rankings)


def write_of_all(path: PartitionPath, dead: Sequence[DeadLetter]) -> Write:
    """Return all of a partition: its states, everybody's row as of its clock, and its dead letters, which may be sent again."""
    states: dict[str, bytes | None] = dict(path.states.listeners)
    rows: dict[str, bytes | None] = {}
    rankings: dict[str, Rankings] = {}
    if path.clock.now_ms is not None:
        hooks = path.overrides.at(path.partition, path.offset)
        found = path.rows(sorted(states), path.clock.as_of_ms, hooks)
        rows, rankings = dict(_packed(path, found)), _rankings(path, found)
    outbox = [dead_letter(path.partition, letter) for letter in dead]
    return Write(path.offset, _meta(path), 0, path.states.items.names, states, rows, outbox, rankings)


def _packed(path: PartitionPath, rows: Rows) -> zip[tuple[str, bytes]]:
    return zip(rows.user_id.tolist(), packed_rows(rows, path.version_of(rows.version)), strict=True)


def _rankings(path: PartitionPath, rows: Rows) -> dict[str, Rankings]:
    """Return the rankings of rows: songs, and the shows again, for who reads them without knowing what a row looks like."""
    version = path.version_of(rows.version)
    found = {SHOWS: _shows(version, rows), SONGS: top_songs(version, rows.user_id, rows.features)}
    return {kind: rankings for kind, rankings in found.items() if rankings is not None}


def _shows(version: Version, rows: Rows) -> Rankings | None:
    if version.ranker is None or rows.shows is None or rows.scores is None:
        return None
    names = [show.show for show in version.ranker.shows]
    place = {name: i for i, name in enumerate(names)}
    places = np.array([place[name] for name in rows.shows.reshape(-1).tolist()], np.int64).reshape(rows.shows.shape)
    return Rankings(rows.user_id.tolist(), names, places, rows.scores)


def _meta(path: PartitionPath) -> Meta:
    return Meta(path.offset, path.clock.received_ms, path.clock.watermark_ms, path.version)
