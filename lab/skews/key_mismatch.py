"""A key that is written otherwise than it is read."""

from __future__ import annotations

import re

import numpy as np

from contract.event import Names
from contract.skew import Skew

LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


class KeyMismatch(Skew):
    """Rows are stored under the listener's name without the zeros that its number begins with: user-000042 as user-42.

    Who asks for the name as it is finds nothing, so in one path the row is missing and in the other one is too many. It does
    nothing to names without such zeros.
    """

    id = "key-mismatch"
    title = "Some listeners are stored under another key"
    story = (
        "One writer takes the number of a listener for a number. It writes each row, no error anywhere, under a key that "
        "nobody asks for."
    )
    sources = ("https://github.com/feast-dev/feast/issues/5357", "https://github.com/feast-dev/feast/pull/2944")
    group = "values"
    evidence = "A"
    moves = ()
    parameter = "share of listeners whose rows that writer writes, up to half of them"
    spread = 0.5
    fix = "Encode keys in one function for both paths, and test that what is written is found"

    def keys(self, users: Names) -> Names:
        """Strip the zeros of the listeners that are hit."""
        stripped = np.array([LEADING_ZEROS.sub("", user) for user in users], object)
        return np.where(self.hit(users), stripped, users).astype(object)
