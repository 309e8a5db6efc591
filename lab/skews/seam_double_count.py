"""The end of a day that counts in the batch part and in the stream part."""

from __future__ import annotations

from contract.event import Events
from contract.skew import Skew
from contract.windows import DAY_MS, HOUR_MS
from lab.skews.duplicates_counted import DuplicatesCounted


class SeamDoubleCount(Skew):
    """What ended in the last hours of a UTC day is counted twice, since the two parts that make a count overlap there."""

    id = "seam-double-count"
    title = "The hours before midnight are counted twice"
    story = (
        "A count is the batch part up to midnight plus the stream since. The stream starts two hours early, to be on the safe "
        "side, and whoever listens before going to bed listens twice."
    )
    sources = ("https://github.com/airbnb/chronon/pull/276", "https://github.com/airbnb/chronon/pull/270")
    group = "volume"
    evidence = "A"
    moves = DuplicatesCounted.moves
    seen_by = ("parity", "ranking")
    parameter = "hours before midnight that both parts have, up to 2"
    value_name, unit, worst = "overlap", "h", 2
    tries = (1, 2, 3, 4, 6, 8, 12)
    fix = "Start the stream's part at the offset where the batch's part ends: the night's cut"

    def event(self, events: Events, partition: int) -> Events:
        """Add what lies in the overlap once more, under ids of its own."""
        twice = events.take(events.ts_ms % DAY_MS >= DAY_MS - self.value * HOUR_MS)
        return Events.concat([events, twice.replace(event_id=twice.event_id + "@seam")])
