"""From where on a suite fails: what stands here unless a home was calibrated, each number with where it is from."""

from __future__ import annotations

import msgspec

BEYOND_TOLERANCE = 0.0
"""Parity: the share of requests beyond tolerance that is borne. Both paths compute one definition from the same events, so
without a skew no row is beyond it, float32 noise and lag included; the first row that is, is one."""
PSI, JENSEN_SHANNON, L_INFINITY = 0.2, 0.1, 0.1
"""Distribution: 'significant' by the usual reading of PSI (Siddiqi 2006), and the 0.1 that drift monitors start from."""
OVERLAP, SCORE_DIFFERENCE = 0.99, 1e-3
"""Ranking: means over listeners. Values within tolerance may still exchange two shows whose scores are nearly equal."""


class Limits(msgspec.Struct, frozen=True):
    """What is borne. ``beyond`` names what has a limit of its own: a feature, or ``unmatched``."""

    beyond: dict[str, float] = {}
    psi: float = PSI
    js: float = JENSEN_SHANNON
    linf: float = L_INFINITY
    overlap: float = OVERLAP
    rbo: float = OVERLAP
    score_difference: float = SCORE_DIFFERENCE
    segment: float = 0.0
    """The share of hit listeners from above which a group is named."""

    def of(self, column: str) -> float:
        """Return the share beyond tolerance that is borne in a column of the parity frame."""
        return self.beyond.get(column, BEYOND_TOLERANCE)


DEFAULTS = Limits()
