"""A desk for imports: a folder with data, a mapping beside it, and a place for what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from contract.event import Event
from contract.records import PartitionClock, Watermark, judge
from lab.folder import FolderSource
from lab.importers.table import Report, import_tables

HEAD, AT_S = "user,item,at,played", 1_625_022_948  # 2021-06-30T03:15:48Z
PLAIN = f"{HEAD}\n1,7,{AT_S},100\n2,8,{AT_S + 50},200\n"
ITEMS = "id,length,style\n7,80,rock\n8,300,\n"
PARTITIONS = 4
DROPPED = "dropped: no time, or no usable listening time"


def mapping(columns: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    plain = {"user_id": "user", "item_id": "item", "ts_ms": {"column": "at", "unit": "s"}, "ms_played": played()}
    return {"source": "toy", "files": ["plays.csv"], "columns": {**plain, **(columns or {})}, **changes}


def played(unit: str = "s", **rules: str) -> dict[str, str]:
    return {"column": "played", "unit": unit, **rules}


def items(**changes: Any) -> dict[str, Any]:
    return {"file": "items.csv", "key": "id", "duration": {"column": "length", "unit": "s"}, **changes}


class Desk:
    """A folder with data, a mapping beside it, and a place for what comes out."""

    def __init__(self, root: Path) -> None:
        self.root, self.data, self.out, self.map = root, root / "data", root / "out", root / "map.yml"
        self.data.mkdir()
        (self.data / "items.csv").write_text(ITEMS)

    def take(self, plays: str | bytes = PLAIN, document: Any = None, *, replace: bool = False) -> Report:
        (self.data / "plays.csv").write_bytes(plays if isinstance(plays, bytes) else plays.encode())
        self.map.write_text(yaml.safe_dump(document or mapping()))
        return import_tables(self.data, self.map, self.out, replace=replace)

    def events(self) -> list[Event]:
        return valid_events(self.out)


def valid_events(folder: Path) -> list[Event]:
    """Return what was written as the consumer of a run gets it: all of it has to be valid."""
    source, found = FolderSource.open(folder, None), []
    clocks = [PartitionClock(watermark_ms=source.midnight(0)) for _ in range(PARTITIONS)]
    for day in range(source.days):
        for partition, key, value in source.messages(day, PARTITIONS):
            record = judge(value, key, partition, PARTITIONS, clocks[partition])
            assert isinstance(record, Event), record
            clocks[partition].advance(record)
            found.append(record)
        for clock in clocks:
            clock.advance(Watermark(source.midnight(day + 1)))
    return found
