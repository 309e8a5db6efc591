"""A log as a folder: what ``simulate`` and the importers write, and a run plays through Kafka.

catalogue.parquet     the items
log/2026-01-05.parquet    the events received on a UTC day, in order (the columns of the lake; positions are the run's)
import.json           what was done to the rows; written last: a folder without it is not read
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from contract.catalogue import Catalogue
from contract.errors import UsageError
from contract.event import LAKE_SCHEMA, Events
from contract.windows import DAY_MS, floor_day, iso_date, parse_instant
from lab.changes import Change, changed
from lab.source import days_between, messages_of
from streaming.log import Message

MARK = "import.json"


def write_log(
    out: Path, catalogue: Catalogue, days: Iterable[Events], report: Mapping[str, object] | None = None, *, replace: bool = False
) -> int:
    """Write a log folder; return how many events it holds.

    Raises:
        UsageError: the folder is there already, or cannot be written; nothing of it is left then.
    """
    if out.exists() and not (replace and (out / MARK).exists()):
        raise UsageError(f"{out} is there already", "", "Name a new folder")
    draft = out.with_name(f".{out.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        (draft / "log").mkdir(parents=True)
        count = _write(draft, catalogue, days, report or {})
        shutil.rmtree(out, ignore_errors=True)
        draft.rename(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written", str(error), "Name another folder, or make room") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return count


def _write(draft: Path, catalogue: Catalogue, days: Iterable[Events], report: Mapping[str, object]) -> int:
    catalogue.write(draft / "catalogue.parquet")
    count = 0
    for events in days:
        if len(events):
            pq.write_table(events.to_arrow(0), draft / "log" / f"{iso_date(int(events.received_at_ms[0]))}.parquet")
            count += len(events)
    (draft / MARK).write_bytes(msgspec.json.format(msgspec.json.encode({"events": count, **report}), indent=1))
    return count


@dataclass(frozen=True)
class FolderSource:
    """A log folder as a source: no history, no truth; nights only after days with events."""

    folder: Path
    catalogue: Catalogue
    start_ms: int
    days: int
    changes: tuple[Change, ...] = ()

    @staticmethod
    def open(folder: Path, days: int | None, changes: Sequence[Change] = ()) -> FolderSource:
        """Open a folder; ``days`` cuts it short.

        Raises:
            UsageError: it is no log folder, or holds no events.
        """
        if not (folder / MARK).exists():
            raise UsageError(
                f"{folder} is no log folder", f"it holds no {MARK}", "Make one with 'skewlab import' or 'skewlab simulate'"
            )
        dates = sorted(path.stem for path in (folder / "log").glob("*.parquet"))
        if not dates:
            raise UsageError(f"{folder} holds no events", "", "Import some")
        first, last = (parse_instant(date) for date in (dates[0], dates[-1]))
        whole = days_between(first, last)
        catalogue = Catalogue.read(folder / "catalogue.parquet")
        return FolderSource(folder, catalogue, floor_day(first), min(whole, days or whole), tuple(changes))

    def midnight(self, day: int) -> int:
        """See ``Source.midnight``."""
        return self.start_ms + day * DAY_MS

    def history(self) -> Events:
        """See ``Source.history``: everything is played."""
        return Events.of([], [])

    def messages(self, day: int, partitions: int) -> list[Message]:
        """See ``Source.messages``."""
        if not self.has_night(day):
            return []
        events = Events.from_arrow(pq.read_table(self._file(day), schema=LAKE_SCHEMA))
        return messages_of(changed(events, day, self.changes), partitions)

    def has_night(self, day: int) -> bool:
        """See ``Source.has_night``."""
        return self._file(day).exists()

    def truth(self, day: int) -> None:
        """Return None: nobody knows what these listeners truly like."""

    def _file(self, day: int) -> Path:
        return self.folder / "log" / f"{iso_date(self.midnight(day))}.parquet"
