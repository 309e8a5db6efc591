"""What is measured of a week's shelves and of what was heard before them, by one yardstick for all weeks and arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batch.metrics.beyond import TIERS, coverage, exposure, gini, popularity_bias, popularity_lift, shares, tiers
from batch.neighbours import Ints, Mask
from contract.rows import Floats
from lab.feedback.listening import Heard

COVERAGE, HEAD, BIAS, LIFT = "coverage", "head share", "popularity bias", "popularity lift"
GINI, GINI_HEARD = "Gini of exposure", "Gini of listening"
QUALITY, BEST = "not skipped", "not skipped, at best"
MEASURES = (COVERAGE, HEAD, BIAS, LIFT, GINI, GINI_HEARD, QUALITY, BEST)


@dataclass(frozen=True)
class Yardstick:
    """What is popular, by the plays of each song before anything was served, (m,), and the tiers that follow from it.

    It stays the same for all weeks: else a song would be popular because it is recommended. ``skipping`` (n, m) is the truth.
    """

    plays: Ints
    tier: Ints
    skipping: Floats

    @staticmethod
    def of(history: Heard, skipping: Floats) -> Yardstick:
        """Take the yardstick from what was heard before the first week."""
        plays = _plays(history, skipping.shape[1])
        return Yardstick(plays, tiers(plays), skipping)

    def measure(self, shelf: Ints, here: Mask, window: Heard) -> Floats:
        """Return ``MEASURES`` of the shelves (n, k) of the listeners ``here`` (n,).

        ``window`` is what was heard in the weeks before. Coverage is a share of the m songs; the bias is that of the head, its
        share of the places less its share of the plays in the window. *Not skipped* is the mean truth over all places; *at
        best* is that of the k songs which each listener likes best of those that they have not played in the window.
        """
        m, shown, heard = len(self.plays), shelf[here], _plays(window, len(self.plays))
        places = exposure(shown, m)
        found = {
            COVERAGE: coverage(shown, m),
            HEAD: shares(places, self.tier, len(TIERS))[0],
            BIAS: popularity_bias(shown, heard, self.tier)[0],
            LIFT: self._lift(shown, heard),
            GINI: gini(places),
            GINI_HEARD: gini(heard),
            QUALITY: 1 - self.skipping[np.flatnonzero(here)[:, None], shown].mean(),
            BEST: 1 - self._least(window, shown.shape[1])[here].mean(),
        }
        return np.array([found[name] for name in MEASURES])

    def _lift(self, shown: Ints, heard: Ints) -> float:
        """Return how much more popular a place's song is than a play's, over everybody."""
        usual = np.array([self.plays @ heard / max(heard.sum(), 1)])
        return float(popularity_lift(np.array([self.plays[shown].mean()]), usual, np.zeros(1, np.int64), 1)[0])

    def _least(self, window: Heard, k: int) -> Floats:
        """Return the k smallest chances of a skip among what each listener has not played, (n, k)."""
        left = self.skipping.copy()
        left[window.listener[window.played], window.song[window.played]] = np.inf
        return np.sort(left, axis=1)[:, :k]


def _plays(heard: Heard, m: int) -> Ints:
    return np.bincount(heard.song[heard.played], minlength=m)
