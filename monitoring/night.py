"""What the monitor looks at: both paths' rows of one night, and what was served on its day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from batch.listens import REQUEST, Job
from batch.rows import rows_for_spine
from contract.errors import CannotJudge
from contract.features import ROW_SCHEMA
from contract.home import Home, snapshot_path
from contract.lake import Commit, Lake
from contract.versions import Version, Versions
from contract.windows import DAY_MS, iso, iso_date
from monitoring.compare import Pair, align
from monitoring.frames import Filters, read_rows

REQUESTS = 400
"""At most this many served rows of a day are computed again: the whole days of as many listeners as fit."""


@dataclass(frozen=True)
class Night:
    """One night, both ways: ``snapshot`` holds everybody at midnight, ``requests`` some of the day's served rows.

    ``left`` of a pair is the batch path, ``right`` the live one. ``facts`` are what operations look at.
    """

    as_of_ms: int
    version: Version
    batch: pa.Table
    live: pa.Table
    snapshot: Pair
    requests: Pair
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def judges_ranking(self) -> bool:
        """Whether there are rankings to compare: not without podcasts, which neither path ranks."""
        return any(table.column("shows").null_count < len(table) for table in (self.batch, self.live))


def load_night(job: Job, home: Home, as_of_ms: int) -> Night:
    """Read a published night, its snapshots and its served rows, and compute the latter again.

    Raises:
        CannotJudge: the night was not run, the lake is not the one that it was run on, the live path has left nothing of it, or
            no listener that both know; or a file of theirs cannot be read, or lacks a column.
    """
    version = published(home, as_of_ms)
    lake, cuts = job.lake, version.manifest.cuts
    _require_reached(lake, as_of_ms, cuts)
    files = {p: snapshot_path(home, as_of_ms, p, cut) for p, cut in cuts.items()}
    there = {p: path for p, path in files.items() if path.exists()}
    if not there:
        raise CannotJudge(f"The live path left no snapshot of {iso(as_of_ms)}", "", "Let the consumer pass that midnight")
    snapshot, unseen = _midnight(read_rows(version.rows), pa.concat_tables(map(read_rows, there.values())), list(there))
    _require_common(snapshot, as_of_ms)
    return night_of(
        as_of_ms,
        version,
        snapshot,
        requests=_requests(job, home, as_of_ms),
        facts={**day_facts(lake, as_of_ms, cuts), "partitions_behind": len(files) - len(there)},
        unseen=unseen,
    )


def night_of(
    as_of_ms: int, version: Version, snapshot: Pair, requests: Pair, facts: dict[str, float], unseen: pa.Table | None = None
) -> Night:
    """Put a night together from its pairs; ``unseen`` are the batch path's rows of partitions that the live path did not pass.

    All rows of both paths are those of the pair again, in its order: a copy of them would be most of what a night takes.
    """
    others = [] if unseen is None else [unseen]
    batch = pa.concat_tables([snapshot.left, snapshot.missing, *others])
    return Night(as_of_ms, version, batch, pa.concat_tables([snapshot.right, snapshot.extra]), snapshot, requests, facts)


def _midnight(batch: pa.Table, live: pa.Table, partitions: list[int]) -> tuple[Pair, pa.Table]:
    """Pair the rows of the partitions that the live path has passed; return the batch path's rows of the others beside them."""
    seen = pc.is_in(batch.column("partition"), pa.array(partitions, pa.int32()))
    if pc.all(seen).as_py() is not False:
        return align(batch, live, REQUEST), batch.slice(0, 0)
    return align(batch.filter(seen), live, REQUEST), batch.filter(pc.invert(seen))


def _require_reached(lake: Lake, as_of_ms: int, cuts: dict[int, int]) -> None:
    """Make sure that the lake holds what the night counted: not a younger or another one."""
    found = lake.cut(as_of_ms)
    if found != cuts:
        why = "its watermarks stand at other offsets than the night's cut"
        raise CannotJudge(f"The lake {lake} is not the one that the night of {iso(as_of_ms)} was run on", why, "Run the night")


def _require_common(snapshot: Pair, as_of_ms: int) -> None:
    """Make sure that there is anything to compare: of two crowds without a common name parity says nothing."""
    if not len(snapshot) and len(snapshot.missing) and len(snapshot.extra):
        counts = f"{len(snapshot.missing)} and {len(snapshot.extra)} rows, under other keys"
        raise CannotJudge(f"The paths have no listener in common at {iso(as_of_ms)}", counts, "Look at how both write keys")


def published(home: Home, as_of_ms: int) -> Version:
    """Return the version of a night.

    Raises:
        CannotJudge: the night was not run.
    """
    if as_of_ms % DAY_MS:
        raise CannotJudge(f"{iso(as_of_ms)} is no midnight", "a night ends at one", "Name a date")
    versions = Versions(home.versions)
    if not home.versions.exists():
        raise CannotJudge(f"There is no night in {home.root}", "nothing was published there", "Name another home with --home")
    if iso_date(as_of_ms) not in versions.names():
        raise CannotJudge(f"There is no night of {iso(as_of_ms)}", "", f"Run 'skewlab night --as-of {iso_date(as_of_ms)}'")
    return versions.get(iso_date(as_of_ms))


def _requests(job: Job, home: Home, as_of_ms: int) -> Pair:
    served = sampled(once(served_rows(home.served, as_of_ms - DAY_MS, as_of_ms)), as_of_ms)
    return align(computed_again(job, home, served), served, REQUEST)


def computed_again(job: Job, home: Home, served: pa.Table) -> pa.Table:
    """Compute served rows by the batch path, each with the version that it names."""
    again = [ROW_SCHEMA.empty_table()]
    for name in pc.unique(served.column("version")).to_pylist():
        spine = served.filter(pc.equal(served.column("version"), name))
        again.append(rows_for_spine(job, Versions(home.versions).get(name), spine))
    return pa.concat_tables(again, promote_options="permissive")


def live_rows(home: Home, as_of_ms: int) -> pa.Table:
    """Return the live path's rows of a published night, of the partitions that have passed it.

    Raises:
        CannotJudge: the night was not run, or a snapshot cannot be read.
    """
    cuts = published(home, as_of_ms).manifest.cuts
    paths = (snapshot_path(home, as_of_ms, partition, cut) for partition, cut in cuts.items())
    return pa.concat_tables([ROW_SCHEMA.empty_table(), *(read_rows(path) for path in paths if path.exists())])


def served_rows(folder: Path, after_ms: int, until_ms: int) -> pa.Table:
    """Return the logged rows with an instant in (after, until], as they were served."""
    between: Filters = [("as_of_ms", ">", after_ms), ("as_of_ms", "<=", until_ms)]
    tables = [read_rows(path, between) for path in sorted(folder.glob("p*.parquet"))]
    return pa.concat_tables([ROW_SCHEMA.empty_table(), *tables])


def once(rows: pa.Table) -> pa.Table:
    """Keep the first row of each request: the relay may have sent some twice."""
    repeated = rows.select(list(REQUEST)).to_pandas().duplicated().to_numpy()
    return rows.filter(pa.array(~repeated)) if repeated.any() else rows


def sampled(served: pa.Table, as_of_ms: int) -> pa.Table:
    """Keep whole listeners, others every night, while they fit; the first one in any case."""
    if len(served) <= REQUESTS:
        return served
    users = served.group_by("user_id", use_threads=False).aggregate([("cut", "count")]).to_pandas()
    users["order"] = [hashlib.blake2b(f"{user}/{as_of_ms}".encode(), digest_size=8).digest() for user in users["user_id"]]
    users = users.sort_values("order")
    fits = (users["cut_count"].cumsum() <= REQUESTS).to_numpy()
    fits[0] = True
    return served.filter(pc.is_in(served.column("user_id"), pa.array(users["user_id"][fits], pa.string())))


def day_facts(lake: Lake, as_of_ms: int, cuts: dict[int, int]) -> dict[str, float]:
    """Return what operations know of the day: its events, the share of bad records."""
    commits = [commit for p, cut in cuts.items() for commit in _of_the_day(lake.commits(p), as_of_ms, cut)]
    events, rejected = sum(file.rows for c in commits for file in c.files), sum(c.rejected for c in commits)
    return {"events": events, "rejected_share": rejected / max(events + rejected, 1)}


def _of_the_day(commits: Sequence[Commit], as_of_ms: int, cut: int) -> list[Commit]:
    """Return the commits with records between the midnight before and this one."""
    marks = {at: offset for commit in commits for at, offset in commit.watermarks.items() if at < as_of_ms}
    begin = marks[max(marks)] if marks else -(1 << 62)
    return [commit for commit in commits if commit.next > begin + 1 and commit.first <= cut]
