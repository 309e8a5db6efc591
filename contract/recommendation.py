"""A recommendation, its reasons as data, and the shelves of a version.

A night keeps reasons as data, and ``sentence`` writes them when somebody asks. No published reason names another listener.
``recommendations.parquet`` has a row for each listener and shelf, sorted by listener; a shelf without items has no row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from contract.catalogue import Catalogue

FILE = "recommendations.parquet"

FOR_YOU = "for-you"
DAILY_MIXES = ("daily-mix-1", "daily-mix-2", "daily-mix-3")
DISCOVER_WEEKLY = "discover-weekly"
RELEASE_RADAR = "release-radar"
"""A context shelf is called after its part of the day or its device, as in ``for-you/morning`` and ``for-you/car``."""

NEIGHBOURS = "neighbours"
"""How listeners with the same taste take it; ``value`` is the mean engagement of those of them who have heard it."""
SOUNDS_LIKE = "sounds-like"
"""``about`` is an item that the listener likes, ``value`` the cosine of the two items' audio features."""
POPULAR = "popular"
"""``about`` is the country, empty for everybody; ``value`` the share of its listeners who play it."""
ARTIST, GENRE = "artist", "genre"
"""``about`` is an artist, show or genre that the listener likes, ``value`` the mean engagement with it."""
KNOWN = "known"
"""The listener's own engagement with it is ``value``."""
RELEASED = "released"
"""It came out ``value`` days ago."""
UNHEARD = "unheard"
"""Nobody has heard it yet."""
EXPLORE = "explore"
"""It fills one of the slots that are kept for what the listener's own scores leave open."""
SOMETHING_ELSE = "something-else"
"""The listener has skipped everything."""
NOT_PERSONAL, PRIVATE = "not-personal", "private"
"""The listener has switched personalisation off, or wants privacy first."""
PART, DEVICE = "part", "device"
"""``about`` is the part of the day or the device where it is played ``value`` times as often as elsewhere."""


class Reason(msgspec.Struct, frozen=True):
    """One reason. What ``about`` and ``value`` hold stands beside each kind."""

    kind: str
    about: str = ""
    value: float = 0.0


class Recommended(msgspec.Struct, frozen=True):
    """An item on a shelf; scores of different shelves are not to be compared."""

    item: str
    score: float
    reasons: tuple[Reason, ...] = ()


REASON_TYPE = pa.struct([("kind", pa.string()), ("about", pa.string()), ("value", pa.float32())])
SCHEMA = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("shelf", pa.string(), nullable=False),
        pa.field("items", pa.list_(pa.string()), nullable=False),
        pa.field("scores", pa.list_(pa.float32()), nullable=False),
        pa.field("reasons", pa.list_(pa.list_(REASON_TYPE)), nullable=False),
    ]
)
"""One shelf of one listener, best first; the three lists are of one length."""


def read_shelves(folder: Path, user_id: str) -> dict[str, tuple[Recommended, ...]]:
    """Return a listener's shelves from a version's folder, by name; none where the version or its file knows nothing of them."""
    path = folder / FILE
    if not path.exists():
        return {}
    rows = pq.read_table(path, schema=SCHEMA, filters=[("user_id", "=", user_id)]).to_pylist()
    return {row["shelf"]: _recommended(row["items"], row["scores"], row["reasons"]) for row in rows}


def read_shelf(folder: Path, shelf: str) -> pa.Table:
    """Return one shelf of all listeners (``user_id``, ``items`` best first), sorted by listener; empty without a file."""
    path, wanted = folder / FILE, ["user_id", "items"]
    if not path.exists():
        return pa.schema([SCHEMA.field(name) for name in wanted]).empty_table()
    return pq.read_table(path, columns=wanted, filters=[("shelf", "=", shelf)], read_dictionary=["items.list.element"])


def _recommended(items: list[str], scores: list[float], reasons: list[list[dict[str, str | float]]]) -> tuple[Recommended, ...]:
    together = zip(items, scores, reasons, strict=True)
    return tuple(Recommended(item, score, msgspec.convert(why, tuple[Reason, ...])) for item, score, why in together)


def sentence(reasons: Sequence[Reason], catalogue: Catalogue) -> str:
    """Write reasons as one English sentence; empty where there are none."""
    clauses = [_CLAUSES[reason.kind](reason, catalogue) for reason in reasons]
    if not clauses:
        return ""
    told = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"
    return f"{told[0].upper()}{told[1:]}."


def _neighbours(reason: Reason, _: Catalogue) -> str:
    if reason.value >= 0.7:
        return "listeners with your taste play it again and again"
    return "listeners with your taste enjoy it" if reason.value >= 0.4 else "some listeners with your taste have tried it"


def _sounds_like(reason: Reason, catalogue: Catalogue) -> str:
    item = catalogue.items.get(reason.about)
    title = item.title if item else reason.about
    by = f" by {item.artist}" if item and item.artist else ""
    return f"it sounds {'much ' if reason.value >= 0.9 else ''}like {title}{by}, which you enjoy"


def _popular(reason: Reason, _: Catalogue) -> str:
    where = f"of the listeners in {reason.about}" if reason.about else "of all listeners"
    share = f"{100 * reason.value:.0f} %" if reason.value >= 0.01 else "some"
    return f"it is popular: {share} {where} play it"


def _released(reason: Reason, _: Catalogue) -> str:
    days = round(reason.value)
    return "it came out today" if days < 1 else "it came out yesterday" if days == 1 else f"it came out {days} days ago"


def _known(reason: Reason, _: Catalogue) -> str:
    return "you play it again and again" if reason.value >= 0.9 else "you have played it before"


def _part(reason: Reason, _: Catalogue) -> str:
    when = "at night" if reason.about == "night" else f"in the {reason.about}"
    return f"people play it {when} {_times(reason.value)} as often as at other times"


def _device(reason: Reason, _: Catalogue) -> str:
    where = {"car": "in the car", "web": "in the browser"}.get(reason.about, f"on a {reason.about}")
    return f"people play it {where} {_times(reason.value)} as often as elsewhere"


def _times(lift: float) -> str:
    return "twice" if 1.9 <= lift < 2.1 else f"{lift:.1f} times"


_CLAUSES: dict[str, Callable[[Reason, Catalogue], str]] = {
    NEIGHBOURS: _neighbours,
    SOUNDS_LIKE: _sounds_like,
    POPULAR: _popular,
    ARTIST: lambda reason, _: f"you like {reason.about}",
    GENRE: lambda reason, _: f"it is {reason.about}, which you like",
    KNOWN: _known,
    RELEASED: _released,
    UNHEARD: lambda *_: "nobody has heard it yet",
    EXPLORE: lambda *_: "it is something a little outside your usual listening, to find out whether you like it",
    SOMETHING_ELSE: lambda *_: "you have skipped everything so far, so here is something else, picked by chance",
    NOT_PERSONAL: lambda *_: "you have switched personal recommendations off",
    PRIVATE: lambda *_: "you asked for privacy, so nothing that you have heard was used",
    PART: _part,
    DEVICE: _device,
}
