"""The decorator of functions that are compiled to machine code when they are first called; the code is kept for the next time.

Machine code of one function contains that of the functions it calls, whatever file they stand in. So what is kept holds for this
very state of all files with such functions, and of what they take from ``contract``: its folder is named by their hash.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])


def _kept_in() -> Path:
    """Return the folder for the compiled code: beside these sources, or in the user's cache where that cannot be written."""
    package = Path(__file__).parent
    numbers = [package.parent / "contract" / name for name in ("event.py", "windows.py")]
    texts = [path.read_bytes() for path in sorted(package.rglob("*.py"))]
    sources = [text for text in texts if b"@compiled" in text] + [path.read_bytes() for path in numbers]
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:20]
    beside = package / "__pycache__"
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skewlab" / "compiled"
    return (beside if os.access(package, os.W_OK) else users) / digest


FOLDER = _kept_in()
numba.config.CACHE_DIR = str(FOLDER)  # type: ignore[attr-defined]


def compiled(function: _Function) -> _Function:
    """Compile a function; it may call others like it, and releases Python's lock while it runs."""
    return cast(_Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
