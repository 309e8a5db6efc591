"""Calling the hooks of skews, one skew behind the other; a student's own that fails is told in one line."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar, cast

from contract.errors import SkewlabError, UsageError
from contract.skew import Skew

T = TypeVar("T")


def through(skews: Sequence[Skew], hook: str, value: T, *more: Any) -> T:
    """Pass a value through a hook of each skew and return what comes out: the value itself without skews.

    Raises:
        UsageError: a skew from somebody's own file failed, or gave back something of another kind. One of the catalogue's is
            let fail as any code is.
    """
    for skew in skews:
        value = _own(skew, hook, value, more) if skew.origin else getattr(skew, hook)(value, *more)
    return value


def _own(skew: Skew, hook: str, value: T, more: Sequence[Any]) -> T:
    try:
        found = getattr(skew, hook)(value, *more)
    except SkewlabError:
        raise
    except Exception as error:
        said = str(error).split("\n", 1)[0]
        why = f"{type(error).__name__}: {said}{_line(skew.origin, error)}"
        raise UsageError(f"The skew '{skew.id}' failed in '{hook}'", why, "Mend the skew") from error
    if not isinstance(found, _kind(value)):
        kinds = f"it gave back {type(found).__name__}, not {type(value).__name__}"
        raise UsageError(f"The skew '{skew.id}' failed in '{hook}'", kinds, "Return what the hook is given, changed")
    return cast(T, found)


def _kind(value: object) -> type:
    """Return what a hook must give back for a value."""
    return next((kind for kind in (Sequence, Integral) if isinstance(value, kind)), type(value))


def _line(origin: str, error: Exception) -> str:
    """Say which line of the skew's file it was, the last one that had to do with it."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == origin]
    return f" ({Path(origin).name}, line {lines[-1]})" if lines else ""
