"""``skewlab recommend``: what one listener is recommended, by the night or by the live path, and why."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.parquet as pq

from contract.catalogue import Catalogue
from contract.errors import CannotJudge, UsageError
from contract.home import Home
from contract.preferences import Preference, impersonal, read_preferences
from contract.recommendation import FOR_YOU, NOT_PERSONAL, PRIVATE, Recommended, read_shelves
from contract.settings import Settings
from contract.versions import Version, Versions
from lab.live_shows import Ranked, live_row, live_shows
from lab.portrait import portrait, settings_of
from lab.words import day, moment
from serving.songs import songs_document
from serving.telling import item_document

Told = tuple[dict[str, Any], list[str]]
Shelves = Mapping[str, tuple[Recommended, ...]]
EVERY = "all"
WIDTH = 100


def recommend(settings: Settings, user: str, source: str, shelf: str | None, *, explain: bool) -> Told:
    """Return what a listener is recommended, for scripts and for people; ``source`` is batch or live.

    Raises:
        UsageError: nobody knows the listener, or there is no such shelf.
        CannotJudge: no night has published recommendations.
        InfrastructureError: the live path's Redis is away.
    """
    home = settings.places
    wishes = read_preferences(home.preferences).get(user, Preference())
    if source == "live":
        if shelf is not None:
            raise UsageError("The live path has no shelves", "it ranks songs and shows", "Leave --shelf out, or ask --from batch")
        return _live(settings, user, wishes, explain=explain)
    return _batch(home, user, wishes, shelf, explain=explain)


def _batch(home: Home, user: str, wishes: Preference, shelf: str | None, *, explain: bool) -> Told:
    version = _in_service(home)
    known = portrait(version, user)
    shelves = _shelves(version, user, wishes)
    if known is None and (wishes.personal or not shelves):
        raise UsageError(
            f"Version '{version.name}' does not know a listener '{user}'", "", f"Name one that it knows{_such_as(version)}"
        )
    chosen = _chosen(shelves, shelf)
    about = [*(known.sentences() if known and wishes.personal else []), settings_of(wishes)]
    document = {
        "user": user,
        "from": "batch",
        "version": version.name,
        "personal": wishes.personal,
        "about": known.document() if known and wishes.personal else None,
        "shelves": {name: [item_document(one, version.catalogue) for one in items] for name, items in chosen.items()},
    }
    lines = _paragraph(about) if explain else []
    for name, items in chosen.items():
        lines += [
            f"{_heading(name)}, by the night of {day(version.manifest.as_of_ms)}:",
            *_items([item_document(_less(one), version.catalogue) for one in items], version.catalogue, explain=explain),
            "",
        ]
    return document, lines[:-1]


def _in_service(home: Home) -> Version:
    versions = Versions(home.versions)
    todo = "Run 'skewlab night --as-of DATE'"
    if not versions.names():
        raise CannotJudge("Nothing is recommended yet", "no version is published", todo)
    version = versions.get(versions.current)
    if not version.rows.exists():
        raise CannotJudge("Nothing is recommended yet", f"version '{version.name}', which is in service, is no night's", todo)
    return version


def _shelves(version: Version, user: str, wishes: Preference) -> Shelves:
    """Return a listener's shelves; whose past listening may not be used has one, of what is popular."""
    if wishes.personal:
        return read_shelves(version.folder, user)
    popular = impersonal(version.popular, wishes)
    return {FOR_YOU: popular} if popular else {}


def _chosen(shelves: Shelves, shelf: str | None) -> Shelves:
    if not shelves:
        raise CannotJudge("There is nothing to recommend", "the version has no shelf for this listener", "Run its night again")
    if shelf == EVERY:
        return shelves
    name = shelf or (FOR_YOU if FOR_YOU in shelves else min(shelves))
    if name not in shelves:
        raise UsageError(
            f"There is no shelf '{name}' for this listener", f"there are {', '.join(sorted(shelves))}", "Name one of them"
        )
    return {name: shelves[name]}


def _heading(shelf: str) -> str:
    """Say a shelf's name as a heading: for-you/morning is For you (morning)."""
    name, _, context = shelf.partition("/")
    return f"{name.replace('-', ' ').capitalize()}{f' ({context})' if context else ''}"


def _items(told: Sequence[Mapping[str, Any]], catalogue: Catalogue, *, explain: bool) -> list[str]:
    titles = [f"{one['title']} by {one['by']}" if _is_song(one["item"], catalogue) else _episode(one) for one in told]
    return _numbered(titles, [one["because"] for one in told] if explain else [])


def _less(one: Recommended) -> Recommended:
    """Leave out of an item's reasons what is said once, of all of them, in the first paragraph."""
    kept = tuple(reason for reason in one.reasons if reason.kind not in {NOT_PERSONAL, PRIVATE})
    return Recommended(one.item, one.score, kept)


def _is_song(item: str, catalogue: Catalogue) -> bool:
    found = catalogue.items.get(item)
    return found is not None and found.artist is not None


def _episode(one: Mapping[str, Any]) -> str:
    """Name an episode and its show, once: many titles say the show themselves."""
    title, show = str(one["title"]), one["by"]
    return title if show is None or _words(show) in _words(title) else f"{title}, an episode of {show}"


def _words(text: str) -> str:
    """Return a text's words and numbers alone, so that show-07 is found in Show 7, episode 12."""
    found = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(word.lstrip('0') or '0' for word in found)} "


def _live(settings: Settings, user: str, wishes: Preference, *, explain: bool) -> Told:
    row, songs = live_row(settings, user)
    version = Versions(settings.places.versions).get(row["version"])
    ranked = live_shows(version, row, wishes)
    told = songs_document(user, songs, read_shelves(version.folder, user), wishes, version)
    document = {
        "user": user,
        "from": "live",
        "version": version.name,
        "as_of_ms": row["as_of_ms"],
        "personal": wishes.personal,
        "songs": told,
        "shows": [{"show": one.show, "score": one.score, "because": one.why} for one in ranked],
    }
    nothing = f"Version {version.name} has nothing to rank for you, so the live path ranks nothing yet."
    source = f"by the live path, as of {moment(row['as_of_ms'])}"
    whole = [
        *_under(f"Songs for you, {source}:", _items(told, version.catalogue, explain=explain)),
        *_under(f"Shows you might like, {source}:", _shows(ranked, explain=explain)),
    ]
    return document, [*(_paragraph([settings_of(wishes)]) if explain else []), *(whole[:-1] or [nothing])]


def _under(heading: str, lines: Sequence[str]) -> list[str]:
    return [heading, *lines, ""] if lines else []


def _shows(ranked: Sequence[Ranked], *, explain: bool) -> list[str]:
    return _numbered([one.show for one in ranked], [one.why for one in ranked] if explain else [])


def _numbered(titles: Sequence[str], whys: Sequence[str]) -> list[str]:
    lines = []
    for i, title in enumerate(titles):
        lines.append(f"{i + 1:>2}. {title}")
        if i < len(whys) and whys[i]:
            lines += textwrap.wrap(whys[i], WIDTH, initial_indent="    ", subsequent_indent="    ")
    return lines


def _paragraph(sentences: Sequence[str]) -> list[str]:
    text = " ".join(sentence for sentence in sentences if sentence)
    return [*textwrap.wrap(text, WIDTH), ""] if text else []


def _such_as(version: Version) -> str:
    users = pq.read_table(version.rows, columns=["user_id"]).column("user_id")
    return f", such as '{users[0].as_py()}'" if len(users) else ""
