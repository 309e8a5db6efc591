"""What the monitor would have seen of a recorded world under some skews: its nights, and the evidence of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from batch.listens import REQUEST
from batch.rows import rows_for_spine
from contract.features import FEATURES, NAMES, ROW_SCHEMA
from contract.skew import Skew
from contract.windows import DAY_MS
from lab.detect.recorded import Recorded
from monitoring.compare import align, mismatches, tolerable
from monitoring.measures import UNMATCHED
from monitoring.night import Night, day_facts, night_of, once, sampled
from monitoring.suspect import Evidence, difference
from streaming.outbox import in_sample
from streaming.replay import Stretch


@dataclass
class Replayer:
    """A recorded world from a day on, gone through under skews that begin on that day."""

    recorded: Recorded
    onset: int
    nights_long: int | None = None
    """So many nights from the onset on; all that there are where None."""
    lag: Sequence[Skew] = ()
    """Skews that let steps wait for the next one, and do nothing else."""
    _requests: pa.Table = field(default_factory=ROW_SCHEMA.empty_table)
    """What the batch path says of served rows, as far as it was asked."""

    @property
    def days(self) -> range:
        """The days from the onset on."""
        end = self.recorded.days if self.nights_long is None else self.onset + self.nights_long
        return range(self.onset, min(end, self.recorded.days))

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The log of these days."""
        return self.recorded.stretches(self.onset, self.days.stop, self.lag)

    def live(self, skews: Sequence[Skew]) -> pa.Table:
        """Return the live path's rows under some skews: all of every midnight, and those of the day that are logged."""
        made = pa.concat_tables(stretch.rows(skews, requests=True) for stretch in self.stretches)
        users = pc.unique(made.column("user_id"))
        logged = [user for user in users.to_pylist() if in_sample(user, self.recorded.served_share)]
        return made.filter(pc.or_(_at_midnight(made), pc.is_in(made.column("user_id"), pa.array(logged, pa.string()))))

    def nights(self, skews: Sequence[Skew]) -> list[Night]:
        """Return the nights from the onset on under some skews of one side."""
        live = self.live([skew for skew in skews if skew.side == "streaming"])
        batch_side = [skew for skew in skews if skew.side == "batch"]
        return [self._night(day, live, batch_side) for day in self.days]

    def truth(self, nights: Sequence[Night]) -> tuple[int | None, list[str]]:
        """Return which of the nights is the first that is not as without any skew, and all that differs beyond tolerance.

        What differs is told by the path that a skew touched, not by comparing the paths: features, and ``unmatched`` where a
        midnight has other rows. A request that was never made, or made once more, is no wrong answer: nobody misses it.
        """
        first, moved = None, set()
        for i, (night, clean) in enumerate(zip(nights, self._clean_nights, strict=True)):
            for midnight, mine, right in zip((True, True, False, False), _tables(night), _tables(clean), strict=True):
                pair = align(right, mine, REQUEST)
                lonely = midnight and bool(len(pair.missing) or len(pair.extra))
                if first is None and (lonely or mismatches(pair)):
                    first = i
                moved |= {f.name for f in FEATURES if not tolerable(pair, f.name).all()} | ({UNMATCHED} if lonely else set())
        return first, [name for name in (*NAMES, UNMATCHED) if name in moved]

    @cached_property
    def _clean_nights(self) -> list[Night]:
        return self.nights(())

    def evidence(self, nights: Sequence[Night]) -> Evidence:
        """Return the evidence that some nights, the first of them the onset, give for the search of a suspect."""
        batch, live = (pa.concat_tables(getattr(night, side) for night in nights) for side in ("batch", "live"))
        days = [night.as_of_ms for night in nights]
        if difference(batch, live).keys:
            return Evidence(batch, live, lambda skews: self._midnights(skews, days), lambda skews: self._batch(skews, days))
        batch, live = (pa.concat_tables(getattr(night.requests, side) for night in nights) for side in ("left", "right"))
        asked = live.select(list(REQUEST))
        return Evidence(
            batch,
            live,
            lambda skews: _only(once(self.live(skews)), asked),
            lambda skews: rows_for_spine(self.recorded.skewed(skews), self.recorded.version, asked),
        )

    def _midnights(self, skews: Sequence[Skew], instants: Sequence[int]) -> pa.Table:
        made = pa.concat_tables(stretch.rows(skews) for stretch in self.stretches)
        return made.filter(pc.is_in(made.column("as_of_ms"), pa.array(instants, pa.int64())))

    def _batch(self, skews: Sequence[Skew], instants: Sequence[int]) -> pa.Table:
        days = (day for day in self.days if self.recorded.midnight(day) in instants)
        return pa.concat_tables(self.recorded.batch_rows(day, skews) for day in days)

    def _night(self, day: int, live: pa.Table, skews: Sequence[Skew]) -> Night:
        recorded, as_of_ms = self.recorded, self.recorded.midnight(day)
        batch, cuts = recorded.batch_rows(day, skews), recorded.cuts(day)
        instant = live.column("as_of_ms")
        snapshot = live.filter(pc.and_(_at_cut(live, cuts), pc.equal(instant, as_of_ms)))
        today = pc.and_(pc.greater(instant, as_of_ms - DAY_MS), pc.less(instant, as_of_ms))
        served = sampled(live.filter(today), as_of_ms)
        return night_of(
            as_of_ms,
            recorded.version,
            snapshot=align(batch, snapshot, REQUEST),
            requests=align(self._asked(served, skews), served, REQUEST),
            facts={**day_facts(recorded.job.lake, as_of_ms, cuts), "partitions_behind": 0},
        )

    def _asked(self, served: pa.Table, skews: Sequence[Skew]) -> pa.Table:
        """Return what the batch path says of served rows; what it says without skews is asked once."""
        recorded, asked = self.recorded, served.select(list(REQUEST))
        if skews:
            return rows_for_spine(recorded.skewed(skews), recorded.version, asked)
        unknown = asked.join(self._requests.select(list(REQUEST)), list(REQUEST), join_type="left anti")
        if len(unknown):
            more = rows_for_spine(recorded.job, recorded.version, unknown)
            self._requests = pa.concat_tables([self._requests, more], promote_options="permissive")
        return _only(self._requests, asked)


def _only(rows: pa.Table, asked: pa.Table) -> pa.Table:
    """Return the rows of some requests."""
    pair = align(rows, asked, REQUEST)
    return pair.left


def _tables(night: Night) -> list[pa.Table]:
    """Return what either path says: of the midnight, and of the day's requests that both answer."""
    return [night.batch, night.live, night.requests.left, night.requests.right]


def _at_cut(rows: pa.Table, cuts: dict[int, int]) -> pa.ChunkedArray:
    place = np.array([cuts[partition] for partition in range(len(cuts))], np.int64)
    return pa.chunked_array([pa.array(place[rows.column("partition").to_numpy()] == rows.column("cut").to_numpy())])


def _at_midnight(rows: pa.Table) -> pa.ChunkedArray:
    instant = rows.column("as_of_ms").to_numpy()
    return pa.chunked_array([pa.array(instant % DAY_MS == 0)])
