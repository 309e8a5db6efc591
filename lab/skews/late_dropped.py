"""Late events that are thrown away."""

from __future__ import annotations

from contract.event import Events
from contract.features import NAMES
from contract.skew import Skew
from contract.windows import MINUTE_MS


class LateDropped(Skew):
    """The live path waits so long for an event and no longer; the batch path reads it a day later.

    The allowed lateness falls by equal factors and not by equal steps: hardly anything is between one day late and two. At two
    days nothing is dropped, whatever it is. Without any allowance everything would be, since nothing arrives in no time.
    """

    id = "late-dropped"
    title = "Serving drops late events"
    story = (
        "A window is closed when the watermark has passed, and what comes afterwards goes nowhere. Somebody who listens "
        "offline loses whole evenings in serving, and has them in training."
    )
    sources = (
        "https://mail-archive.com/issues@flink.apache.org/msg215523.html",
        "https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.dropDuplicatesWithinWatermark.html",
    )
    group = "time"
    evidence = "A"
    moves = NAMES
    parameter = "allowed lateness, from two days down to 10 minutes by equal factors"
    value_name, unit, harmless, worst = "allowed lateness", "min", 2880, 10
    scale = "factors"
    tries = (1, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)
    fix = "Allow in serving what training allows (48 h), or count late events in a side path"

    def event(self, events: Events, partition: int) -> Events:
        """Drop what is later than allowed."""
        if self.value >= self.harmless:
            return events
        return events.take(events.received_at_ms - events.ts_ms <= self.value * MINUTE_MS)
