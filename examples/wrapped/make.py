"""Make the two tables of this folder: a coffee shop's purchases and a library's loans. Nobody's: drawn from a seed.

Run it in the project's environment: ``python examples/wrapped/make.py``.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
ROWS = 240
DRINKS = (
    ("Flat White", "espresso", 3.8),
    ("Cappuccino", "espresso", 3.6),
    ("Café au Lait", "filter", 3.4),
    ("Filter of the Day", "filter", 2.9),
    ("Cold Brew with Orange Peel", "cold", 4.2),
    ("Chai Latte", "tea", 4.0),
    ("Sencha", "tea", 3.2),
)
BOOKS = (
    ("The Left Hand of Darkness", "science fiction", 304),
    ("Solaris", "science fiction", 204),
    ("Роза мира", "essays", 608),
    ("A Field Guide to Mosses", "nature", 240),
    ("The Hidden Life of Trees", "nature", 272),
    ("The Name of the Rose", "crime", 512),
    ("Murder on the Orient Express", "crime", 256),
    ("Pippi Longstocking", "children", 160),
)


def coffee(rng: random.Random) -> Iterable[tuple[str, ...]]:
    """Draw purchases between seven and six, each member with a drink of their own."""
    for at in _moments(rng, 7, 18):
        member = rng.choices(range(8), weights=(9, 6, 4, 3, 2, 2, 1, 1))[0]
        name, kind, price = DRINKS[member % len(DRINKS)] if rng.random() < 0.6 else rng.choice(DRINKS)
        yield f"card-{member + 1:02d}", f"{at:%Y-%m-%dT%H:%M}", name, kind, f"{price + rng.choice((0, 0, 0.5)):.2f}"


def library(rng: random.Random) -> Iterable[tuple[str, ...]]:
    """Draw loans between ten and seven in the evening, in seconds since 1970."""
    for at in _moments(rng, 10, 19):
        member = rng.choices(range(12), weights=range(12, 0, -1))[0]
        title, shelf, pages = BOOKS[member % len(BOOKS)] if rng.random() < 0.4 else rng.choice(BOOKS)
        yield f"reader-{member + 1:02d}", str(int(at.timestamp())), title, shelf, str(pages)


def _moments(rng: random.Random, opens: int, closes: int) -> list[datetime]:
    start = datetime(2025, 1, 2, tzinfo=UTC)
    hours = (rng.randrange(opens * 60, closes * 60) for _ in range(ROWS))
    return sorted(start + timedelta(days=rng.randrange(360), minutes=minute) for minute in hours)


def write(name: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write one table."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    write("coffee.csv", ("card", "bought", "drink", "kind", "price"), coffee(random.Random(1)))  # noqa: S311
    write("library.csv", ("reader", "lent_s", "title", "shelf", "pages"), library(random.Random(2)))  # noqa: S311
