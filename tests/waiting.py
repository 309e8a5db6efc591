"""Waiting for something to answer: asked again and again, never assumed."""

from __future__ import annotations

import time
from collections.abc import Callable

from contract.errors import SkewlabError

PAUSE_S = 0.05


def until(ask: Callable[[], object], seconds: float = 20) -> object:
    """Ask until it does not raise; raise what it raised last where the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except SkewlabError:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_S)
