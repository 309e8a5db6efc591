"""One night judged in a process of its own: its orders are one JSON object, its only argument; it prints what it took."""

from __future__ import annotations

import resource
import sys
import tempfile
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace

from batch.listens import REQUEST
from lab.bench.monitor_tables import AS_OF_MS
from lab.bench.stream_meter import orders, tell
from monitoring.checks import Checks
from monitoring.compare import align
from monitoring.frames import read_rows
from monitoring.measures import measure
from monitoring.night import REQUESTS, night_of

FACTS = {"events": 1.0, "rejected_share": 0.0, "partitions_behind": 0.0}
PARTS = ("read", "align", "measure", "judge")


def main() -> None:
    """Read both tables, align, measure and judge them; tell the seconds of each part and the largest memory in bytes."""
    told = orders()
    marks = [perf_counter()]
    tables = [read_rows(Path(told[name])) for name in ("batch", "live")]
    marks.append(perf_counter())
    snapshot = align(tables[0], tables[1], REQUEST)
    tables.clear()  # the pair holds all of them again
    requests = align(snapshot.left.slice(0, REQUESTS), snapshot.right.slice(0, REQUESTS), REQUEST)
    marks.append(perf_counter())
    version = SimpleNamespace(name="bench")  # nothing of a version is looked at
    measures = measure(night_of(AS_OF_MS, version, snapshot, requests, FACTS))  # type: ignore[arg-type]
    marks.append(perf_counter())
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        judged = Checks(Path(folder)).judge(measures.frames(), "bench")
    marks.append(perf_counter())
    tell(
        {
            "seconds": dict(zip(PARTS, (end - begin for begin, end in pairwise(marks)), strict=True)),
            "processor": process_time(),
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            "outcomes": {name: one.outcome for name, one in judged.items()},
        }
    )


if __name__ == "__main__":
    main()
