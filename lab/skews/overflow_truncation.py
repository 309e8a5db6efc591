"""A sum that outgrows its integer."""

from __future__ import annotations

import numpy as np

from contract.rows import FeatureColumns
from contract.skew import Skew
from lab.skews.mixing import array
from streaming.view import View

SECONDS_A_MINUTE = 60
HARMLESS_BITS, WORST_BITS = 24, 16
"""Signed, 24 bits hold 97 days of seconds, more than a window of 28 has; 16 bits hold 9.1 hours. Nobody in the simulated
world hears the 72 hours that 19 bits hold."""


class OverflowTruncation(Skew):
    """Seconds of listening are summed in a signed integer of few bits: past its largest value the sum goes on at its smallest.

    The usual case, milliseconds in 32 bits, would take 24.9 days of listening within the 28 of the window. The median
    listener of the simulated world hears 11.5 hours, so seconds in 16 bits are what shows it. A sum that fits is exact.
    """

    id = "overflow-truncation"
    title = "Listening time runs over in serving"
    story = (
        "The state in serving is packed tightly: a short for the seconds of a month. Who listens most ends up with a negative "
        "time or, once round, with a plausible one."
    )
    sources = (
        "https://www.mail-archive.com/issues@spark.apache.org/msg294301.html",
        "https://github.com/feast-dev/feast/pull/2609",
    )
    group = "values"
    evidence = "A"
    moves = ("listen_minutes_28d",)
    seen_by = ("distribution", "parity")
    parameter = "how few bits the seconds are summed in, from 24 down to 16"
    value_name, unit, harmless, worst = "width", "bits", HARMLESS_BITS, WORST_BITS
    tries = (16, 17, 18)
    fix = "Sum in 64 bits, and let arithmetic that runs over fail (Spark's ANSI mode)"

    def features(self, columns: FeatureColumns, window: View) -> FeatureColumns:
        """Take from each sum as many whole turns as it went round."""
        if self.value >= self.harmless:
            return columns
        minutes, turn = array(columns, "listen_minutes_28d"), 2 ** round(self.value) / SECONDS_A_MINUTE
        return {**columns, "listen_minutes_28d": minutes - turn * np.floor(minutes / turn + 0.5)}
