"""Where a listener's clocks stand, read off the hours at which nobody listened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contract.event import Ints
from contract.rows import Floats
from contract.windows import DAY_MS, HOUR_MS

OFFSETS = tuple(range(-11, 13))
"""Hours ahead of UTC; a day has no more than these to tell apart."""
NIGHT = 1, 7
"""The local hours taken for the quietest six: people's mid-sleep lies about four o'clock."""
FEWEST_DAYS = 14
"""Nothing is said of fewer days with listens: two weekends at least."""
REDRAWS = 400
"""How often the days are drawn anew: enough to tell nine in ten from six in ten."""
AROUND = 0.2
"""What the hours around a night weigh against those in it."""
SURE = ((0.9, 0.06, "high"), (0.6, 0.12, "fair"))
"""At least this share of the redraws agrees, and at most this share of the listens falls into the night (by chance, 0.25)."""

_LOCAL = np.arange(24)[:, None] + np.array(OFFSETS)[None, :]
_AT_NIGHT = np.asarray((_LOCAL - NIGHT[0]) % 24 < NIGHT[1] - NIGHT[0], np.float64)
"""UTC hours x offsets: 1 where the local hour is at night."""


@dataclass(frozen=True)
class Zone:
    """Hours ahead of UTC; the share of the redraws that say so within an hour; the share of the listens at night; days seen."""

    utc_offset_hours: int
    agreement: float
    night_share: float
    days: int

    @property
    def sure(self) -> str:
        """``high``, ``fair`` or ``low``. It knows of chance, not of habits: who sleeps late looks as if living further west."""
        return next((name for agree, night, name in SURE if self.agreement >= agree and self.night_share <= night), "low")


def home_zone(ts_ms: Ints) -> Zone | None:
    """Return the offset from UTC under which the quietest six hours are the local night; None for fewer than 14 days.

    How sure: the days are drawn anew with replacement (a bootstrap, Efron 1979; seeded) and each draw has its own answer.
    """
    days, row = np.unique(ts_ms // DAY_MS, return_inverse=True)
    if len(days) < FEWEST_DAYS:
        return None
    heard = np.zeros((len(days), 24))
    np.add.at(heard, (row, ts_ms // HOUR_MS % 24), 1)
    draws = np.random.default_rng(0).multinomial(len(days), np.full(len(days), 1 / len(days)), REDRAWS)
    best, drawn = _quietest(heard.sum(axis=0)), _quietest(draws @ heard)
    apart = np.abs(drawn - best)
    return Zone(
        utc_offset_hours=OFFSETS[int(best)],
        agreement=float(np.mean(np.minimum(apart, 24 - apart) <= 1)),
        night_share=float(heard.sum(axis=0) @ _AT_NIGHT[:, best] / heard.sum()),
        days=len(days),
    )


def _quietest(heard: Floats) -> Ints:
    """Return the index into ``OFFSETS`` with the quietest night, for listens by UTC hour of shape (..., 24).

    Where nights are about equally quiet the hours around them decide, the less the further from the night's middle: somebody
    silent for eight hours is asleep in their middle.
    """
    apart = np.pi * (_LOCAL + 0.5 - sum(NIGHT) / 2) / 24
    return np.asarray(np.argmin(heard @ (_AT_NIGHT + AROUND * np.cos(apart) ** 4), axis=-1))
