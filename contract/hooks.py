"""Calling the hooks of skews, one skew behind the other; a student's own that fails is told in one line."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from contract.errors import SkewlabError, UsageError
from contract.event import Events
from contract.skew import PerEvent, Side, Skew

T = TypeVar("T")

HOOKS: Mapping[Side, Sequence[str]] = {
    "streaming": ("holds", "transport", "event", "settings", "state", "clock", "features", "serves", "keys"),
    "batch": ("batch_settings", "batch_events", "batch_features", "batch_training"),
    "world": ("world",),
}
"""The hooks of each side, in the order in which they are called."""


def overridden(kind: type[Skew]) -> list[str]:
    """Return the hooks that a skew overrides; ``each`` of a ``PerEvent`` is its hook ``event``."""
    plain: type[Skew] = PerEvent if issubclass(kind, PerEvent) else Skew
    own = {hook for hooks in HOOKS.values() for hook in hooks if getattr(kind, hook) is not getattr(plain, hook)}
    if issubclass(kind, PerEvent) and kind.each is not PerEvent.each:
        own.add("event")
    return [hook for hooks in HOOKS.values() for hook in hooks if hook in own]


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
    failed = f"The skew '{skew.id}' failed in '{_called(skew, hook)}'"
    before = _columns(value)  # a hook may write into what it is given
    try:
        found = getattr(skew, hook)(value, *more)
    except SkewlabError:
        raise
    except Exception as error:
        said, line = str(error).split("\n", 1)[0], _line(skew.origin, error)
        todo = "Mend the skew" if line else "Mend what it takes or what it gives back"
        raise UsageError(f"{failed}: {type(error).__name__}: {said}{line}", "", todo) from error
    if wrong := _wrong(value, before, found):
        raise UsageError(failed, wrong, "Return what the hook is given, changed")
    return cast(T, found)


def _called(skew: Skew, hook: str) -> str:
    """Say which method of the skew's own that is."""
    return "each" if hook == "event" and isinstance(skew, PerEvent) and type(skew).event is PerEvent.event else hook


def _wrong(value: object, before: Mapping[str, object], found: object) -> str:
    """Say in what way a hook gave back something else than it may, or nothing where it did not."""
    if not isinstance(found, _kind(value)):
        return f"it gave back {type(found).__name__}, not {type(value).__name__}"
    after = _columns(found)
    if after.keys() != before.keys():
        names = ", ".join(f"'{name}'" for name in sorted(after.keys() ^ before.keys(), key=str))
        return f"it gave back other columns: see {names}"
    n = len(found.offset) if isinstance(found, Events) else None
    return next((wrong for name in after if (wrong := _wrong_column(name, before[name], after[name], n))), "")


def _wrong_column(name: str, before: object, after: object, n: int | None) -> str:
    """Say what is wrong with a column that should have ``n`` entries, or as many as before where None."""
    if type(after) is not type(before):
        return f"its column '{name}' is {type(after).__name__}, not {type(before).__name__}"
    if isinstance(after, np.ndarray) and isinstance(before, np.ndarray) and _unlike(after.dtype.kind, before.dtype.kind):
        return f"its column '{name}' is of {after.dtype}, not of {before.dtype}"
    count, due = len(cast(Sequence[Any], after)), len(cast(Sequence[Any], before)) if n is None else n
    return "" if count == due else f"its column '{name}' has {count} values for {due} rows"


def _unlike(after: str, before: str) -> bool:
    """Tell whether two kinds of NumPy's are other things; names may be texts or objects."""
    return after != before and (after, before) != ("U", "O")


def _columns(value: object) -> Mapping[str, object]:
    """Return the columns of what a hook takes, by name; nothing where it is no table."""
    if isinstance(value, Events):
        return value.columns()
    if isinstance(value, np.ndarray):
        return {"rows": value}
    return dict(value) if isinstance(value, dict) else {}


def _kind(value: object) -> type:
    """Return what a hook must give back for a value."""
    return next((kind for kind in (Sequence, Integral) if isinstance(value, kind)), type(value))


def _line(origin: str, error: Exception) -> str:
    """Say which line of the skew's file it was, the last one that had to do with it."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == origin]
    return f" ({Path(origin).name}, line {lines[-1]})" if lines else ""
