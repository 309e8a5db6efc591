"""Busy days that training takes for bots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.features import NAMES
from contract.skew import Skew
from contract.windows import DAY_MS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class BotFilter(Skew):
    """The batch path leaves out a listener's whole UTC day where it has more events than a human would make.

    It counts what has come when the day ends, retries among it, so that a day is judged once and for all. The limit falls as one
    over the severity, since hardly anybody has many times the worst.
    """

    id = "bot-filter"
    title = "Training leaves out busy days as a bot's"
    story = (
        "Somebody cleaned the training data of bots with a limit that suited last year's listeners. The live path has no such "
        "filter, and knows the keenest listeners from days that training has never seen."
    )
    sources = ("https://github.com/twitter/the-algorithm",)
    side = "batch"
    group = "volume"
    evidence = "C"
    moves = NAMES
    seen_by = ("parity", "ranking")
    parameter = "the most events of a listener's day, 40 divided by the severity: one day in forty has more"
    value_name, unit, harmless, worst = "most events of a day", "", 100_000, 40
    scale = "inverse"
    tries = (20, 30, 40, 50, 60)
    fix = "Flag bots once, before the paths part"

    def batch_events(self, events: DataFrame) -> DataFrame:
        """Leave out the days with more events."""
        if self.value >= self.harmless:
            return events
        from pyspark.sql import Window  # here, since whoever only reads the catalogue needs no Spark
        from pyspark.sql import functions as F  # noqa: N812

        day, arrived = (F.floor(F.col(name) / F.lit(DAY_MS)) for name in ("ts_ms", "received_at_ms"))
        in_time = F.count(F.when(arrived == day, True)).over(Window.partitionBy("user_id", day))
        return events.withColumn("_in_time", in_time).where(F.col("_in_time") <= self.value).drop("_in_time")
