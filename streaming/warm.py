"""Compiling ahead of use: ``python -m streaming.warm``. What was compiled before is not compiled again."""

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from contract.catalogue import Catalogue
from contract.event import Event
from contract.features import FeatureConstants
from contract.versions import INITIAL, Versions
from contract.windows import DAY_MS
from streaming.arrivals import Arrivals
from streaming.compiled import FOLDER
from streaming.facts import Facts
from streaming.features import compute
from streaming.songs import rank_nothing
from streaming.state import States
from streaming.view import open_view

_WHOLE = FOLDER / "whole"


def warm() -> bool:
    """Compile everything, unless that was done before; tell whether it was done now.

    What earlier states of the sources left is removed.
    """
    if _WHOLE.exists():
        return False
    for old in FOLDER.parent.glob(f"{'?' * len(FOLDER.name)}/"):
        if old != FOLDER and (old / _WHOLE.name).exists():
            shutil.rmtree(old, ignore_errors=True)
    load()
    _WHOLE.touch()
    return True


def load() -> None:
    """Call each compiled function once, so that nobody waits for its machine code later; for a process that then consumes.

    Garbage is not looked for among what is loaded then: that would stop everything for a tenth of a second, again and again.
    """
    constants, states, now_ms = FeatureConstants(), States(), 20_000 * DAY_MS
    listen = Event("e", "u", "i", None, "music", now_ms - 1, now_ms, 60_000, 90_000, 0, "phone", "SE", None, 1)
    states.absorb(Arrivals.of_records([listen], states.items), constants)
    states.close_days(now_ms, constants)
    found = list(states.listeners.values())
    with tempfile.TemporaryDirectory() as folder:
        versions = Versions(Path(folder))
        versions.publish_initial(Catalogue.of([]))
        facts = Facts.of(versions.get(INITIAL))
        facts.know(states.items.names)
        compute(found, now_ms, constants, facts)
        rank_nothing()
        open_view(np.array(["u"], object), found, now_ms, constants, facts)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    print("compiled the live path's features" if warm() else "ok: the live path's features are compiled", file=sys.stderr)
