"""The catalogue of skews: one file each; a student's own file works the same."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from contract.errors import UsageError
from contract.skew import PerEvent, Skew


@dataclass(frozen=True)
class Request:
    """A skew as somebody asked for it: ``ID[:severity][@DAY]`` or ``FILE.py[:severity][@DAY]``."""

    name: str
    severity: float
    day: int

    @staticmethod
    def parse(text: str) -> Request:
        """Read a request.

        Raises:
            UsageError: the text is none.
        """
        found = re.fullmatch(r"(?P<name>.*?\.py|[^:@]+)(:(?P<severity>[^@]*))?(@(?P<day>\d+))?", text.strip())
        if found is None:
            raise UsageError(
                f"'{text}' names no skew", "", "Write ID[:severity][@DAY], like podcast-resume:0.5@7 or my_skew.py@2"
            )
        try:
            severity = 1.0 if found["severity"] is None else float(found["severity"])
        except ValueError as error:
            raise UsageError(f"'{found['severity']}' is no severity", "", "Give a number from 0 to 1") from error
        return Request(found["name"], severity, int(found["day"] or 0))

    def make(self, seed: int) -> Skew:
        """Make the skew.

        Raises:
            UsageError: there is none of that name, or the severity is out of range.
        """
        return find(self.name)(self.severity, seed)


@cache
def catalogue() -> dict[str, type[Skew]]:
    """Return all skews of this folder, by id."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    found = {skew.id: skew for module in modules for skew in _skews_of(module)}
    return dict(sorted(found.items()))


def find(name: str) -> type[Skew]:
    """Return the skew of an id, or of a student's file.

    Raises:
        UsageError: there is none, or the file does not hold exactly one.
    """
    if name.endswith(".py"):
        return _from_file(Path(name))
    known = catalogue()
    if name not in known:
        raise UsageError(f"There is no skew '{name}'", f"the catalogue has {', '.join(known)}", "See 'skewlab skews list'")
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
    skews[0].origin = str(path.resolve())
    return skews[0]


def _skews_of(module: ModuleType) -> Iterable[type[Skew]]:
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, Skew) and found not in {Skew, PerEvent} and found.__module__ == module.__name__:
            yield found
