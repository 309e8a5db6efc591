"""``skewlab classroom``: which class is meant, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contract.errors import UsageError
from lab.classroom.group import built_in, from_folder, from_ratings
from lab.classroom.lesson import document, lesson, lines


def classroom(folder: Path | None, ratings: Path | None, scale: float, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Work out the class of a folder, of a matrix of ratings, or the built-in one; return it for scripts and for people.

    Raises:
        UsageError: both are given, or what is given cannot be read as one.
    """
    if folder is not None and ratings is not None:
        raise UsageError("A folder and a matrix of ratings were given", "", "Give one of them")
    group = from_folder(folder) if folder else from_ratings(ratings, scale) if ratings else built_in(seed)
    found = lesson(group, seed)
    return document(group, found), lines(group, found)
