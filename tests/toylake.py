"""A log in memory and the lake that the archiver makes of it: for tests of both paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract.catalogue import Catalogue
from contract.event import Event
from contract.home import Home
from contract.lake import Lake
from contract.records import Control, encode, partition_of
from contract.skew import RawRecord
from contract.versions import INITIAL, Version, Versions
from streaming.archive import PartitionArchive
from streaming.codec import tables_of
from streaming.overrides import Overrides
from streaming.state import States
from streaming.step import PartitionPath, Step, next_step


@dataclass
class ToyLog:
    """Records of a few partitions, in the order in which they were sent."""

    partitions: int = 2
    records: dict[int, list[RawRecord]] = field(default_factory=dict)

    def send(self, *events: Event) -> None:
        for event in events:
            self.raw(partition_of(event.user_id, self.partitions), event.user_id.encode(), encode(event))

    def raw(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        records = self.records.setdefault(partition, [])
        records.append(RawRecord(len(records), key, value))

    def control(self, record: Control) -> None:
        for partition in range(self.partitions):
            self.raw(partition, None, encode(record))

    def archive(self, home: Home, commits: int = 1) -> Lake:
        lake = Lake(home.lake)
        for partition in range(self.partitions):
            records = self.records.get(partition, [])
            archive = PartitionArchive.resume(lake, partition, self.partitions)
            size = max(1, -(-len(records) // commits))
            for start in range(0, len(records), size):
                archive.absorb(records[start : start + size])
                archive.flush()
        return lake

    def path(self, home: Home, partition: int, overrides: Overrides | None = None) -> PartitionPath:
        return PartitionPath(partition, self.partitions, Versions(home.versions).get, overrides or Overrides())

    def consume(self, path: PartitionPath, upto: int | None = None, size: int = 7) -> list[Step]:
        """Do the steps of a path's partition up to an offset, each at most ``size`` records long."""
        edges = path.overrides.edges(path.partition) | ({upto} if upto is not None else set())
        waiting = self.records.get(path.partition, [])[path.offset : upto]
        steps = []
        while waiting:
            n = next_step(waiting, path.partition, size, path.overrides, edges) or len(waiting)
            steps.append(path.step(waiting[:n]))
            waiting = waiting[n:]
        return steps


def home_with(folder: Path, catalogue: Catalogue) -> tuple[Home, Version]:
    home = Home(folder)
    Versions(home.versions).publish_initial(catalogue)
    return home, Versions(home.versions).get(INITIAL)


def event(user: str, item: str, ts_ms: int, **fields: object) -> Event:
    """A music play of 100 s, received when it ended, with its fields exchanged."""
    plain: dict[str, object] = {
        "event_id": f"{user}-{item}-{ts_ms}",
        "user_id": user,
        "item_id": item,
        "session_hint": None,
        "kind": "music",
        "ts_ms": ts_ms,
        "received_at_ms": ts_ms,
        "ms_played": 100_000,
        "duration_ms": 200_000,
        "utc_offset_min": 0,
        "device": "phone",
        "country": "SE",
        "rec_id": None,
        "schema_version": 1,
    }
    return Event(**{**plain, **fields})


def as_dicts(tables: Sequence[object]) -> dict[tuple[str, int], dict[str, object]]:
    """Rows by (listener, instant)."""
    return {(row["user_id"], row["as_of_ms"]): row for t in tables for row in t.to_pylist(maps_as_pydicts="strict")}


def encoded(states: States) -> dict[str, tuple[object, ...]]:
    """The states with items by name: the codes follow the order of first sight, which is not a state's concern."""
    names = states.items.names
    found = {}
    for user, state in states.listeners.items():
        found[user] = tuple(tuple(sorted(zip(*_columns(table, names), strict=True))) for table in tables_of(state))
    return found


def _columns(table: Any, names: list[str]) -> list[list[object]]:
    """The columns of a table, with items by name."""
    return [
        [names[code] for code in column.tolist()] if name == "item" else column.tolist()
        for name, column in zip(table._fields, table, strict=True)
    ]
