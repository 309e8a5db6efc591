"""A review in words: for scripts, for people, for a card. Listening and loyalty data differ in words alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.windows import DAY_MS, MINUTE_MS, iso_date
from lab.wrapped.card import Card, Line
from lab.wrapped.figures import Calendar, Entry, Figures
from lab.wrapped.loyalty import Loyalty

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
ORIGIN = "from the very data that made the recommendations"


@dataclass(frozen=True)
class Vocabulary:
    """What things are called. ``unit`` is the amount's, ``scale`` what one of it is in the log's numbers."""

    title: str
    records: str
    items: str
    group: str
    count: str
    among: str
    unit: str
    scale: float
    origin: str


LISTENING = Vocabulary(
    title="A year in listening",
    records="listens",
    items="songs",
    group="artist",
    count="plays",
    among="Among its listeners",
    unit="minutes listened",
    scale=MINUTE_MS,
    origin=ORIGIN,
)


def vocabulary_of(loyalty: Loyalty) -> Vocabulary:
    """Return the words that a mapping asks for."""
    words, amount = loyalty.mapping.words, loyalty.mapping.amount
    unit = clean(amount.unit) if amount else ""
    title, records, items, group = map(clean, (words.title, words.records, words.items, words.group))
    among = "Among its members"
    return Vocabulary(title, records, items, group, "times", among, unit, 1.0, f"from {clean(loyalty.log.source)} alone")


def clean(text: str) -> str:
    """Return a text in one line, without what steers a terminal or breaks an XML file."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text).split())


def listening_document(found: Figures, source: str) -> dict[str, Any]:
    """Return a listener's figures for scripts; what cannot be known is None."""
    return {
        "user": found.user,
        "source": source,
        "listens": found.listens,
        "plays": found.plays,
        "minutes": None if found.amount is None else found.amount / MINUTE_MS,
        "top_songs": [{"item": e.key, "title": e.title, "artist": e.group, "plays": e.count} for e in found.top_items],
        "top_shows": [{"show": e.title, "plays": e.count} for e in found.top_shows] or None,
        "top_artist": found.top_group and {"artist": found.top_group.title, "plays": found.top_group.count},
        "top_genre": found.top_genre,
        "artist_share": _share(found),
        "taste_cluster": found.cluster,
        **_calendar(found.calendar),
    }


def loyalty_document(found: Figures, loyalty: Loyalty) -> dict[str, Any]:
    """Return a member's figures for scripts; what cannot be known is None."""
    amount, words = loyalty.mapping.amount, loyalty.mapping.words
    return {
        "member": found.user,
        "source": loyalty.log.source,
        "records": found.listens,
        "amount": found.amount,
        "unit": amount.unit if amount else None,
        "top_items": [{"item": e.title, "group": e.group, "count": e.count} for e in found.top_items],
        "top_group": found.top_group and {"group": found.top_group.title, "count": found.top_group.count},
        "group_share": _share(found),
        **_calendar(found.calendar),
        "words": words.model_dump(),
        "left_out": loyalty.left_out,
    }


def lines_of(found: Figures, words: Vocabulary) -> list[str]:
    """Return the figures for people; what cannot be known is left out."""
    told = [f"{clean(found.user)}: {words.title.lower()}{_period(found.calendar)}"]
    for title, entries in ((words.items, found.top_items), ("shows", found.top_shows)):
        told += [f"Top {title}:"] * bool(entries)
        told += [f"  {place}. {_named(entry)}  ({entry.count} {words.count})" for place, entry in enumerate(entries, 1)]
    single = [] if found.amount is None else [(words.unit.capitalize(), _amount(found, words))]
    single += stats_of(found, words)
    wide = max((len(label) for label, _ in single), default=0) + 1
    told += [f"{label + ':':<{wide}} {value}" for label, value in single]
    return [*told, _origin(found, words)]


def card_of(found: Figures, words: Vocabulary) -> Card:
    """Return what a card shows. The listener's name is not on it."""
    measured = found.amount is not None
    entries, title = (found.top_items, words.items) if found.top_items else (found.top_shows, "shows")
    return Card(
        title=words.title,
        period=_period(found.calendar).removeprefix(", "),
        hero=_amount(found, words) if measured else f"{found.listens:,}",
        hero_label=words.unit if measured else words.records,
        list_title=f"Top {title}",
        lines=[Line(clean(e.title or e.key), clean(e.group or ""), e.count) for e in entries],
        stats=stats_of(found, words),
        footer=_origin(found, words),
    )


def stats_of(found: Figures, words: Vocabulary) -> list[tuple[str, str]]:
    """Return the single figures that are known, each with its label, the most telling first."""
    when, share, group = found.calendar, found.share, found.top_group
    known: Sequence[tuple[str, str | None]] = (
        (f"Top {words.group}", clean(group.title or "") if group else None),
        (words.among, f"top {share.top_percent} %" if share else None),
        ("Top genre", clean(found.top_genre) if found.top_genre else None),
        ("Taste", found.cluster),
        ("Busiest month", _month(when.busiest_month) if when and when.busiest_month else None),
        ("Longest streak", _counted(when.longest_streak, "day") if when and when.longest_streak else None),
        ("Earliest hour", f"{when.earliest_hour:02d}:00" if when and when.earliest_hour is not None else None),
        ("Latest hour", f"{when.latest_hour:02d}:00" if when and when.latest_hour is not None else None),
        ("Top show", clean(found.top_shows[0].key) if found.top_shows and found.top_items else None),
    )
    return [(label, value) for label, value in known if value is not None]


def _share(found: Figures) -> Mapping[str, int] | None:
    share = found.share
    return {"rank": share.rank, "listeners": share.listeners, "top_percent": share.top_percent} if share else None


def _calendar(when: Calendar | None) -> dict[str, Any]:
    return {
        "from": when and iso_date(when.first_ms),
        "to": when and iso_date(when.last_ms),
        "days": when and when.days,
        "busiest_month": when and when.busiest_month,
        "earliest_hour": when and when.earliest_hour,
        "latest_hour": when and when.latest_hour,
        "longest_streak_days": when and when.longest_streak,
    }


def _named(entry: Entry) -> str:
    return clean(f"{entry.title or entry.key}{f', {entry.group}' if entry.group else ''}")


def _amount(found: Figures, words: Vocabulary) -> str:
    return f"{(found.amount or 0) / words.scale:,.0f}"


def _origin(found: Figures, words: Vocabulary) -> str:
    days = f" on {_counted(found.calendar.days, 'day')}" if found.calendar else ""
    return f"Counted {words.origin}: {found.listens:,} {words.records}{days}."


def _period(when: Calendar | None) -> str:
    """Return the months from the first row to the last, or nothing where nobody knows."""
    if when is None:
        return ""
    first, last = (_month(iso_date(at)[:7]) for at in (when.first_ms, when.last_ms))
    return f", {first}" if when.first_ms // DAY_MS == when.last_ms // DAY_MS or first == last else f", {first} to {last}"


def _month(text: str) -> str:
    year, month = text.split("-")
    return f"{MONTHS[int(month) - 1]} {year}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
