"""``skewlab wrapped``: whose year, out of which data, told and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.errors import UsageError
from contract.home import Home
from lab.classroom.group import built_in
from lab.wrapped.card import Card, kind_of, write_card
from lab.wrapped.figures import figures
from lab.wrapped.log import Log
from lab.wrapped.loyalty import read_loyalty
from lab.wrapped.source import from_class, from_home, from_log
from lab.wrapped.taste import SEED
from lab.wrapped.words import LISTENING, card_of, clean, lines_of, listening_document, loyalty_document, vocabulary_of


@dataclass(frozen=True)
class Review:
    """A year in review, for scripts, for people and for a card."""

    document: dict[str, Any]
    lines: list[str]
    card: Card


@dataclass(frozen=True)
class Wanted:
    """What was asked for. ``names`` are the arguments: [USER], with a mapping [USER] and the table."""

    names: Sequence[str] = ()
    home: Home | None = None
    log: Path | None = None
    classroom: bool = False
    mapping: Path | None = None
    year: int | None = None
    card: Path | None = None


def wrapped(wanted: Wanted) -> tuple[dict[str, Any], list[str]]:
    """Work out a review and draw its card where one is wanted; return it for scripts and for people.

    Raises:
        UsageError: two sources are named at once, or what is named cannot be read or has nothing of that listener.
        CannotJudge: no source is named, and the home's lake is empty.
        InfrastructureError: the card cannot be written.
    """
    _require_one(wanted)
    if wanted.card is not None:
        kind_of(wanted.card)  # before anything is read
    review = _listening(wanted) if wanted.mapping is None else _loyalty(wanted, wanted.mapping)
    drawn = [] if wanted.card is None else _drawn(review.card, wanted.card)
    return {**review.document, "card": wanted.card and str(wanted.card)}, [*review.lines, *drawn]


def _require_one(wanted: Wanted) -> None:
    named = {"--log": wanted.log is not None, "--classroom": wanted.classroom, "--mapping": wanted.mapping is not None}
    several = [name for name, there in named.items() if there]
    if len(several) > 1:
        raise UsageError(f"{' and '.join(several)} were given", "a review is of one of them", "Leave the others out")
    most = 1 if wanted.mapping is None else 2
    if len(wanted.names) > most:
        todo = "For a table, give --mapping too" if most == 1 else "Write: skewlab wrapped [USER] --mapping FILE TABLE"
        raise UsageError(f"There are {len(wanted.names)} names", f"there can be {most}", todo)


def _listening(wanted: Wanted) -> Review:
    log = _log(wanted)
    if wanted.year is not None:
        log = log.of_year(wanted.year)
    found = figures(log, wanted.names[0] if wanted.names else None)
    return Review(listening_document(found, log.source), lines_of(found, LISTENING), card_of(found, LISTENING))


def _log(wanted: Wanted) -> Log:
    if wanted.classroom:
        return from_class(built_in(SEED))
    if wanted.log is not None:
        return from_log(wanted.log)
    assert wanted.home is not None
    return from_home(wanted.home)


def _loyalty(wanted: Wanted, mapping: Path) -> Review:
    if not wanted.names:
        raise UsageError("There is no table to review", "--mapping says what its columns mean", "Name a CSV or Parquet file")
    *user, table = wanted.names
    if not Path(table).exists():
        raise UsageError(f"There is no table {table}", "with --mapping the table comes last", "Name a CSV or Parquet file")
    loyalty = read_loyalty(mapping, Path(table))
    log = loyalty.log if wanted.year is None else loyalty.log.of_year(wanted.year)
    found, words = figures(log, user[0] if user else None), vocabulary_of(loyalty)
    left = [f"Left out: {count} with {reason}" for reason, count in loyalty.left_out.items()]
    return Review(loyalty_document(found, loyalty), [*lines_of(found, words), *left], card_of(found, words))


def _drawn(card: Card, path: Path) -> list[str]:
    lacking = write_card(card, path)
    blank = f"No font of this machine has {clean(lacking)}: install one, or make an SVG, which leaves it to the viewer."
    return [f"The card: {path}", *([blank] if lacking else [])]
