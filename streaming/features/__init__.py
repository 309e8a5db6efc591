"""All features of the registry, from a window. One file a subject; each function returns columns by feature name."""

from __future__ import annotations

from contract.rows import FeatureColumns
from streaming.features import listening, podcasts, sessions, taste
from streaming.window import Window


def compute(window: Window) -> FeatureColumns:
    """Compute every feature of the registry for the n listeners of a window."""
    return {
        **listening.compute(window),
        **sessions.compute(window),
        **podcasts.compute(window),
        **taste.compute(window),
    }
