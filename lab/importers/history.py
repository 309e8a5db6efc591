"""One listener's own history: listens out of an export, each taken once, as a log and its catalogue."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Literal

import msgspec

from contract.catalogue import Catalogue, Item
from contract.errors import UsageError
from contract.event import LONGEST_NAME, Event, Events
from contract.records import DEEPEST
from lab.importers.read import EARLIEST_MS, LATEST_MS
from lab.importers.report import Report
from lab.importers.taken import Fields, Taken

MOST_BRACKETS = DEEPEST // 2 - 1
"""In one name: a record holds two, and its reader counts their brackets as if they were JSON's."""
_NO_BRACKETS = str.maketrans("", "", "[{")
ME = "me"
"""The listener of an own history: exports name them by their account, and that name is dropped."""
NO_OBJECT = "no JSON object, or a field of another type"
NO_TIME = "no time, or none between 1990 and 2100"
NO_PLAYED = "no listening time, or a negative one, or over 24 hours"
NO_ZONE = "local time unknown: UTC taken"


Kind = Literal["music", "podcast"]
Device = Literal["phone", "desktop", "speaker", "car", "web"]


class Listen(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a row. ``ts_ms`` is when it ended; ``duration_ms`` is null where the source does not know it."""

    item: Item
    kind: Kind
    ts_ms: int
    ms_played: int
    duration_ms: int | None
    device: Device
    country: str


class History:
    """Collects one listener's listens.

    Nobody ends the same item twice in an instant after the same time: two such rows are one listen, and the second is counted as
    doubled. So a listen has the same event id in whichever export, file or place it occurs.
    """

    def __init__(self, source: str, fields: Fields, listener: str = ME) -> None:
        if not listener.strip() or not fits(listener):
            raise UsageError(f"'{listener[:40]}' is no name for a listener", "", f"Give one of 1 to {LONGEST_NAME} characters")
        self.report, self.fields = Report(source), fields
        self._listener, self._prefix = listener, source.lower()
        self._events: dict[str, Event] = {}
        self._items: dict[str, tuple[int, Item]] = {}

    def add(self, listen: Listen) -> bool:
        """Take a listen, unless it was taken before; tell whether it was taken."""
        event_id = f"{self._prefix}-{_digest(listen)}"
        if event_id in self._events:
            self.report.doubled += 1
            return False
        item_id = self._keep(listen.item, listen.ts_ms)
        self._events[event_id] = Event(
            event_id, self._listener, item_id, None, listen.kind, listen.ts_ms, listen.ts_ms, listen.ms_played,
            listen.duration_ms, 0, listen.device, listen.country, None, 1,
        )  # fmt: skip
        self.report.count(NO_ZONE)
        return True

    def _keep(self, item: Item, at_ms: int) -> str:
        """Hold what the latest listen says of the item; return its id as it is held already, so that it is held once."""
        known = self._items.get(item.item_id)
        if known is None or at_ms >= known[0]:
            self._items[item.item_id] = (at_ms, item)
        return item.item_id if known is None else known[1].item_id

    def taken(self) -> Taken:
        """Return all of it, in the order of time; equal instants in that of the event ids, however the files were ordered.

        Raises:
            UsageError: nothing was taken.
        """
        if not self._events:
            told = ", ".join(f"{count} with {why}" for why, count in self.report.refused.items() if count)
            raise UsageError(f"There is no usable row among {self.report.rows}", told, "See docs/own-history.md for what is read")
        ordered = sorted(self._events.values(), key=lambda event: (event.ts_ms, event.event_id))
        events = Events.of(ordered, [0] * len(ordered))
        self.report.measure(events)
        return Taken(self.report, Catalogue.of(item for _, item in self._items.values()), events, self.fields)


def text_of(value: str | None) -> str | None:
    """Return a name or title on one line and no longer than an id may be; None where nothing is left."""
    return (" ".join(value.split())[:LONGEST_NAME] or None) if value else None


def is_time(at_ms: int | None) -> bool:
    """Tell whether somebody may have listened at an instant."""
    return at_ms is not None and EARLIEST_MS <= at_ms < LATEST_MS


def fits(name: str) -> bool:
    """Tell whether a name can be an id of an event: neither too long nor, to a reader of records, too deeply nested."""
    return len(name) <= LONGEST_NAME and name.count("[") + name.count("{") <= MOST_BRACKETS


def readable_id(sort: str, whose: str | None, title: str) -> str:
    """Return an id made of an artist (or show, or book) and a title, for what has no identifier of its own.

    ``track:the stranglers/golden brown``: case, blanks and the ways to compose an accent make no difference; a slash or a percent
    sign within a name is written as ``%2F`` or ``%25``; an id that does not fit is cut, with a digest of the whole at its end.
    """
    named = f"{sort}:{_plain(whose or '')}/{_plain(title)}"
    if fits(named):
        return named
    return f"{named.translate(_NO_BRACKETS)[: LONGEST_NAME - 17]}~{hashlib.blake2b(named.encode(), digest_size=8).hexdigest()}"


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFC", " ".join(name.split()).casefold())
    return folded.replace("%", "%25").replace("/", "%2F")


def _digest(listen: Listen) -> str:
    kept = msgspec.json.encode((listen.kind, listen.item.item_id, listen.ts_ms, listen.ms_played))
    return hashlib.blake2b(kept, digest_size=16).hexdigest()
