"""The batch path over the lake of a disturbed run: what it computes is what the live path left, at midnights and as it served."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from batch.failures import spark_failures
from batch.listens import REQUEST, Job
from batch.night import active_version
from batch.rows import rows_for_spine
from batch.session import said_in
from contract.features import ROW_SCHEMA
from contract.home import Home, snapshot_path
from contract.lake import Lake
from contract.versions import INITIAL, Versions
from contract.windows import iso
from lab.chaos.lakes import events, served
from lab.chaos.plan import Outcome, Plan
from lab.chaos.versions import NAMES
from monitoring.compare import EXACT_COMPONENT, Pair, align, mismatches
from monitoring.ranking import rankings

AT_MIDNIGHTS, AS_SERVED = WHICH = ("rows at midnights", "served rows")
ASKED = pa.schema([ROW_SCHEMA.field(name) for name in REQUEST])
SAMPLED = 400
"""At most so many served rows are computed again."""


@dataclass(frozen=True)
class Question:
    """Rows that the live path left, and the requests that it was to answer so: with this version, the lake says."""

    version: str
    which: str
    where: str
    asked: pa.Table
    live: pa.Table


def judge_parity(outcome: Outcome, plan: Plan, job: Job, home: Home) -> None:
    """Compare the snapshots of a home, and a sample of its served rows, with what the batch path computes; note what is wrong.

    Raises:
        InfrastructureError: Spark gave up, or the lake cannot be read.
    """
    versions, by_version = Versions(home.versions), defaultdict(list)
    for question in [*_midnights(job.lake, home), *_served(job.lake, home, plan.seed)]:
        by_version[question.version].append(question)
    for name, questions in by_version.items():
        with spark_failures(said_in(home.spark_log)):  # a job costs seconds, however little it does: one for all of a version
            batch = rows_for_spine(job, versions.get(name), pa.concat_tables([one.asked for one in questions]))
        for one in questions:
            pair = align(align(batch, one.asked, REQUEST).left, one.live, REQUEST)
            outcome.batch[one.which, name] += len(pair)
            outcome.wrong += [f"{one.where}: {count} {what}" for what, count in differences(pair).items()]
    never = [(which, name) for which in WHICH for name in NAMES if not outcome.batch[which, name]]
    outcome.wrong += [f"no {which} of version {name} were compared with the batch path" for which, name in never]


def differences(pair: Pair) -> dict[str, int]:
    """Count the rows of both paths that are not the same, by what is not; nothing where all is."""
    ranked = rankings(pair)
    counts = {
        "that only the batch path has": len(pair.missing),
        "that only the live path has": len(pair.extra),
        **{f"with another {name}": _unequal(pair, name) for name in ("partition", "version")},
        **{f"with another {name}": count for name, count in mismatches(pair).items()},
        "with other shows": int((ranked["rbo"] < 1 - EXACT_COMPONENT).sum()),
        "with other scores": int((~(ranked["score_difference"] <= EXACT_COMPONENT)).sum()),
    }
    return {what: count for what, count in counts.items() if count}


def _unequal(pair: Pair, name: str) -> int:
    return int(pc.sum(pc.not_equal(pair.left.column(name), pair.right.column(name))).as_py() or 0)


def _midnights(lake: Lake, home: Home) -> Iterator[Question]:
    """Ask for all listeners of the lake at each of its midnights."""
    everybody = events(home).group_by(["user_id", "kafka_partition"]).aggregate([])
    users, partition = everybody.column("user_id"), everybody.column("kafka_partition").to_numpy()
    for night_ms in lake.nights():
        cuts = lake.cut(night_ms)
        cut = np.array([cuts[p] for p in partition.tolist()], np.int64)
        asked = pa.table([users, pa.array(np.full(len(users), night_ms)), pa.array(cut)], schema=ASKED)
        paths = [path for place in cuts.items() if (path := snapshot_path(home, night_ms, *place)).exists()]
        live = pa.concat_tables([ROW_SCHEMA.empty_table(), *(pq.read_table(path, schema=ROW_SCHEMA) for path in paths)])
        yield Question(active_version(lake, cuts, night_ms), AT_MIDNIGHTS, f"midnight {iso(night_ms)}", asked, live)


def _served(lake: Lake, home: Home, seed: int) -> Iterator[Question]:
    """Ask for some of the served rows again."""
    rows = served(home)
    which = rows.select(["cut"]).to_pandas().sample(min(SAMPLED, len(rows)), random_state=seed).index
    rows = rows.take(pa.array(which, pa.int64()))
    places = zip(rows.column("partition").to_pylist(), rows.column("cut").to_pylist(), strict=True)
    active = pa.array([lake.active_version(*place) or INITIAL for place in places], pa.string())
    for name in pc.unique(active).to_pylist():
        live = rows.filter(pc.equal(active, name))
        yield Question(name, AS_SERVED, "served rows", live.select(ASKED.names), live)
