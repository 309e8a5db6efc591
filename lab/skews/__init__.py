"""The catalogue of skews: one file each; a student's own file works the same."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

from contract.errors import SkewlabError, UsageError
from contract.features import NAMES
from contract.hooks import HOOKS, overridden
from contract.skew import Evidence, Group, PerEvent, Skew

SIGHTS = ("operations", "distribution", "parity", "ranking", "training")
"""The suites that may see a skew, those that most teams have first."""
_LIKENESS = 0.8
"""From which likeness on (``difflib``, 0 to 1) a name is taken for a misspelt one."""


@dataclass(frozen=True)
class Request:
    """A skew as somebody asked for it: ``ID[:severity][@DAY[-DAY]]`` or ``FILE.py[:severity][@DAY[-DAY]]``.

    It acts from ``day`` on, and from ``until`` on no more.
    """

    name: str
    severity: float
    day: int = 0
    until: int | None = None

    @staticmethod
    def parse(text: str) -> Request:
        """Read a request.

        Raises:
            UsageError: the text is none.
        """
        days = r"(@(?P<day>\d+)(-(?P<until>\d+))?)?"
        found = re.fullmatch(r"(?P<name>.*?\.py|[^:@]+)(:(?P<severity>[^@]*))?" + days, text.strip())
        if found is None:
            like = "Write ID[:severity][@DAY[-DAY]], like podcast-resume:0.5@2-5 or my_skew.py@2"
            raise UsageError(f"'{text}' names no skew", "", like)
        try:
            severity = 1.0 if found["severity"] is None else float(found["severity"])
        except ValueError as error:
            raise UsageError(f"'{found['severity']}' is no severity", "", "Give a number from 0 to 1") from error
        day, until = int(found["day"] or 0), None if found["until"] is None else int(found["until"])
        if until is not None and until <= day:
            raise UsageError(f"'{text}' ends on day {until}", f"it begins on day {day}", "Let it end later")
        return Request(found["name"], severity, day, until)

    def make(self, seed: int) -> Skew:
        """Make the skew.

        Raises:
            UsageError: there is none of that name, or the severity is out of range.
        """
        return made(find(self.name), self.severity, seed)


def made(kind: type[Skew], severity: float, seed: int) -> Skew:
    """Make a skew.

    Raises:
        UsageError: the severity is out of range, or a student's own cannot be made or would change nothing.
    """
    if kind.origin and not overridden(kind):
        todo = f"Override one of {', '.join(HOOKS[kind.side])}"
        raise UsageError(f"The skew '{kind.id}' would change nothing", "it overrides no hook", todo)
    try:
        skew = kind(severity, seed)
        if not hasattr(skew, "share"):
            raise TypeError("its __init__ does not call super().__init__(severity, seed)")
    except Exception as error:
        if isinstance(error, SkewlabError) or not kind.origin:
            raise
        why = f"{type(error).__name__}: {error}"
        raise UsageError(f"The skew '{kind.id}' cannot be made", why, "Take severity and seed, and hand them on") from error
    return skew


@cache
def catalogue() -> dict[str, type[Skew]]:
    """Return all skews of this folder, by id."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    found = {skew.id: skew for module in modules for skew in _skews_of(module)}
    return dict(sorted(found.items()))


def find(name: str) -> type[Skew]:
    """Return the skew of an id, or of a student's file.

    Raises:
        UsageError: there is none, or the file does not hold exactly one that can act.
    """
    if name.endswith(".py"):
        return _from_file(Path(name))
    known = catalogue()
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, 1)
        todo = f"Write '{near[0]}', or see 'skewlab skews list'" if near else "See 'skewlab skews list'"
        raise UsageError(f"There is no skew '{name}'", "neither in the catalogue nor a file that ends in .py", todo)
    return known[name]


def _from_file(path: Path) -> type[Skew]:
    if not path.is_file():
        raise UsageError(f"There is no file {path}", "", "Give the path of a Python file with a Skew in it")
    spec = importlib.util.spec_from_file_location(f"skewlab_own_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for the document
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{path} does not run", f"{type(error).__name__}: {error}", "Mend it and try again") from error
    found = list(_skews_of(module))
    skews = [skew for skew in found if hasattr(skew, "id")]
    if found and not skews:
        raise UsageError(f"The skew {found[0].__name__} in {path} has no 'id'", "", "Give it one: id = 'my-skew'")
    if len(skews) != 1:
        raise UsageError(f"{path} holds {len(skews)} skews", "", "Write exactly one subclass of contract.skew.Skew with an 'id'")
    for why, todo in _faults(skews[0]):
        raise UsageError(f"The skew {skews[0].__name__} in {path} is wrong", why, todo)
    skews[0].origin = str(path.resolve())
    return skews[0]


def _skews_of(module: ModuleType) -> Iterable[type[Skew]]:
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, Skew) and found not in {Skew, PerEvent} and found.__module__ == module.__name__:
            yield found


def _faults(skew: type[Skew]) -> Iterator[tuple[str, str]]:
    """Yield what keeps a student's own skew from acting, or would not be understood: why, and what to do."""
    if skew.side not in HOOKS:
        yield f"its side is {skew.side!r}", f"Write one of {', '.join(HOOKS)}"
        return
    yield from _unspeakable(skew)
    yield from _misspelt(skew)
    hooks = overridden(skew)
    if hooks and not set(hooks) & set(HOOKS[skew.side]):
        yield f"its side is '{skew.side}', where nobody calls {', '.join(hooks)}", "Say the side that its hooks are of"
    yield from _unknown("moves", skew.moves, NAMES, "feature")
    yield from _unknown("seen_by", skew.seen_by, SIGHTS, "suite")
    yield from _unknown("group", [skew.group], get_args(Group), "group")
    yield from _unknown("evidence", [skew.evidence], get_args(Evidence), "grade of evidence")


def _unspeakable(skew: type[Skew]) -> Iterator[tuple[str, str]]:
    """Yield what keeps a skew from being spoken of: a name that is none or somebody else's, a fact that is no text."""
    if not isinstance(skew.id, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", skew.id):
        yield f"its id is {skew.id!r}", "Write small letters, digits and -, like 'my-skew'"
    elif catalogue().get(skew.id, skew) is not skew:
        yield f"the catalogue has a '{skew.id}' already", "Give it an id of its own"
    for fact in ("title", "story", "parameter", "fix", "unit"):
        if not isinstance(getattr(skew, fact), str):
            yield f"its {fact} is no text", f"Write {fact} = '...'"


def _misspelt(skew: type[Skew]) -> Iterator[tuple[str, str]]:
    """Yield the names of its own that look like those of hooks and facts, and are none."""
    known = [*(hook for hooks in HOOKS.values() for hook in hooks), "each", *Skew.__annotations__]
    own = {name for base in skew.__mro__ if base not in {PerEvent, Skew, object} for name in vars(base) if name[0] != "_"}
    if "each" in own and not issubclass(skew, PerEvent):
        yield "only PerEvent calls 'each'", "Derive it from contract.skew.PerEvent"
    for name in sorted(own - set(dir(PerEvent)) - set(known)):
        if near := difflib.get_close_matches(name.lower(), known, 1, _LIKENESS):
            yield f"nobody looks at '{name}'", f"Write '{near[0]}'; where it is a helper of your own, begin its name with _"


def _unknown(fact: str, names: Sequence[str], known: Sequence[str], what: str) -> Iterator[tuple[str, str]]:
    if isinstance(names, str):
        yield f"its {fact} is one text", f'Write a list of them, as in {fact} = ["{names}"]'
        return
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            yield (
                f"its {fact} names {name!r}, which is no {what}",
                f"Write '{near[0]}'" if near else f"There are {', '.join(known)}",
            )
