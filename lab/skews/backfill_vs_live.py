"""History that is computed with what arrived later."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from contract.skew import Skew


class BackfillVsLive(Skew):
    """Training rows are backfilled from the whole log: events that reached the collector after the midnight are in them."""

    id = "backfill-vs-live"
    title = "Training rows are backfilled, and more complete than serving was"
    story = (
        "A feature's past is computed from today's log, in which phones that were offline have long delivered. At the midnight "
        "itself serving had not seen these events. Instants are right, and both paths agree on every row that is served, so "
        "parity stays silent; only the training rows, held against what was served at their midnights, show it."
    )
    sources = (
        "https://careersatdoordash.com/blog/how-to-investigate-the-online-vs-offline-performance-for-dnn-models",
        "https://github.com/feast-dev/feast/pull/6617",
    )
    side = "batch"
    group = "time"
    evidence = "A"
    moves = ()
    seen_by = ("training",)
    parameter = "share of listeners whose training rows are backfilled"
    fix = "Cut each training row where its own night was cut: batch/weekly.py, or wait until rows were logged and train on these"

    def batch_training(self, spine: pa.Table) -> pa.Table:
        """Count up to the night's cut instead of the midnight's, for the listeners that are hit."""
        hit = self.hit(spine.column("user_id").to_pylist())
        if not hit.any():
            return spine
        cut = pc.if_else(pa.array(hit), spine.column("cut_after"), spine.column("cut"))
        return spine.set_column(spine.schema.get_field_index("cut"), "cut", cut)
