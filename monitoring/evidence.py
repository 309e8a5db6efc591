"""Evidence for the search of a suspect, from a home: what both paths said since the onset, and their code to ask again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

from batch.listens import REQUEST, Job
from batch.rows import rows_as_of
from contract.features import ROW_SCHEMA
from contract.home import Home
from contract.lake import Lake
from contract.skew import Skew
from contract.versions import Version, Versions
from contract.windows import DAY_MS, iso_date
from monitoring.frames import read_rows
from monitoring.night import Night, computed_again, live_rows, load_night, published
from monitoring.suspect import Evidence, difference
from streaming.replay import Stretch, stretch_of

NIGHTS = 3
"""So many nights from the onset on are looked at: more hardly tell more, and each has to be gone through for every hypothesis."""
LISTENERS = 1_000
"""Beyond so many listeners a sample stands for all: those who are hit first."""


def evidence_of(job: Job, home: Home, onset_ms: int, last_ms: int, step_events: int | None) -> Evidence:
    """Gather the evidence of an incident; ``step_events`` is where the live path's steps ended, None where nobody knows.

    Where the midnights agree and only the day's requests differ, the evidence is of the requests.

    Raises:
        CannotJudge: a night of the incident was not run, or the live path left nothing of it.
    """
    run = {*Versions(home.versions).names()}  # an import has no night on days without a listen
    nights = [at for at in range(onset_ms, last_ms + 1, DAY_MS) if iso_date(at) in run or at == onset_ms][:NIGHTS]
    versions = {at: published(home, at) for at in nights}
    batch = _concatenated(read_rows(version.rows) for version in versions.values())
    live = _concatenated(live_rows(home, at) for at in versions)
    if difference(batch, live).keys:
        chosen = _chosen(batch, live)
        stretches = stretches_of(job.lake, home, onset_ms, nights[-1], step_events, chosen)
        return Evidence(
            batch=_of(batch, chosen),
            live=_of(live, chosen),
            live_again=lambda skews: _concatenated(stretch.rows(skews) for stretch in stretches),
            batch_again=lambda skews: _of(_nights_again(job, home, versions, skews), chosen),
        )
    return _of_requests(job, home, [load_night(job, home, at) for at in nights], step_events)


def _of_requests(job: Job, home: Home, nights: Sequence[Night], step_events: int | None) -> Evidence:
    """Gather evidence of served rows: of requests that were not logged nobody knows what was said."""
    batch, live = (_concatenated(getattr(night.requests, side) for night in nights) for side in ("left", "right"))
    users = live.column("user_id").unique().to_pylist()
    stretches = stretches_of(job.lake, home, nights[0].as_of_ms, nights[-1].as_of_ms, step_events, users)
    asked = live.select(list(REQUEST))

    def live_again(skews: Sequence[Skew]) -> pa.Table:
        made = _concatenated(stretch.rows(skews, requests=True) for stretch in stretches)
        return made.join(asked, list(REQUEST), join_type="left semi").select(ROW_SCHEMA.names).cast(made.schema)

    return Evidence(batch, live, live_again, lambda skews: computed_again(replace(job, skews=tuple(skews)), home, live))


def stretches_of(
    lake: Lake,
    home: Home,
    onset_ms: int,
    last_ms: int,
    step_events: int | None,
    users: Sequence[str] | None = None,
    lag: Sequence[Skew] = (),
) -> list[Stretch]:
    """Return each partition's stretch of the log from the midnight before a night to another night; see ``Stretch.of``."""
    reached, ends = set(lake.nights()), lake.cut(last_ms)
    begins = lake.cut(onset_ms - DAY_MS) if onset_ms - DAY_MS in reached else None
    version_of = cache(Versions(home.versions).get)
    found = []
    for partition, end in ends.items():
        first = begins[partition] + 1 if begins else lake.commits(partition)[0].first
        found.append(stretch_of(lake, version_of, partition, first, end + 1, step_events, users, lag))
    return found


def _chosen(batch: pa.Table, live: pa.Table) -> list[str] | None:
    """Return who stands for all: everybody where they are few, else those who are hit, and some others."""
    users = pc.unique(batch.column("user_id")).to_pylist()
    if len(users) <= LISTENERS:
        return None
    hit = {str(key[0]) for key in difference(batch, live).keys}
    drawn = sorted(users, key=lambda user: (user not in hit, blake2b(user.encode(), digest_size=8).digest()))
    half = LISTENERS // 2
    return [*drawn[: min(half, len(hit))], *drawn[len(hit) : len(hit) + half]]


def _of(table: pa.Table, users: Sequence[str] | None) -> pa.Table:
    return table if users is None else table.filter(pc.is_in(table.column("user_id"), pa.array(users, pa.string())))


def _nights_again(job: Job, home: Home, versions: dict[int, Version], skews: Sequence[Skew]) -> pa.Table:
    """Compute the nights again by the batch path, each with the version that it was computed with."""
    skewed, get = replace(job, skews=tuple(skews)), Versions(home.versions).get
    return _concatenated(
        rows_as_of(skewed, get(version.manifest.computed_with), at, version.manifest.cuts) for at, version in versions.items()
    )


def _concatenated(tables: object) -> pa.Table:
    return pa.concat_tables([ROW_SCHEMA.empty_table(), *tables], promote_options="permissive")  # type: ignore[misc]
