"""``skewlab bench``: measure a part against its baseline, on this machine."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from contract.settings import load_settings
from lab.told import HomeFlag, JsonFlag, told

bench_app = typer.Typer(help="Measure a part against its baseline; exit 1 where a goal is missed.", rich_markup_mode=None)

SmallFlag = Annotated[bool, typer.Option("--small", help="The same in under a minute, with no claim.")]


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@bench_app.callback()
def bench() -> None:
    """Measure a part against its baseline; exit 1 where a goal is missed."""


@bench_app.command("features")
def features(small: SmallFlag = False, home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Features of a night: Spark against DuckDB, a night after a night, memory, growth; and neighbours."""
    from lab.bench.features import FULL, SMALL, bench_features
    from lab.bench.report import document, failed, lines

    size = SMALL if small else FULL
    rows = bench_features(load_settings(home=home), size, _progress)
    sizes = {"events": size.events, "sizes": list(size.sizes), "events_a_listener": size.events_a_listener}
    told(json, document("features", rows, sizes), lines(rows))
    sys.exit(1 if failed(rows) else 0)


@bench_app.command("stream")
def stream(small: SmallFlag = False, home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Live path on Kafka and Redis: against the client alone and Quix Streams; freshness, memory, size of states."""
    from lab.bench.report import document, failed, lines
    from lab.bench.stream import CHECKSUM, DECODER, FULL, SMALL, bench_stream

    size = SMALL if small else FULL
    rows = bench_stream(load_settings(home=home), size, _progress)
    sizes = {**asdict(size), "decoder": DECODER, "crc32c": CHECKSUM}
    told(json, document("stream", rows, sizes), lines(rows))
    sys.exit(1 if failed(rows) else 0)


@bench_app.command("detect")
def detect(
    small: SmallFlag = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write tables and picture into this folder as well.")] = None,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Every skew against every monitor: what is detected, when, what is named, and how often a monitor cries wolf."""
    from lab.bench.detect import FULL, SMALL, bench_detect
    from lab.bench.detect_tables import monitors_table, rows, skews_table, write_tables
    from lab.bench.report import document, failed, lines

    size = SMALL if small else FULL
    trials = bench_detect(load_settings(home=home), size, _progress)
    found = rows(trials, claim=size.claim)
    if out is not None:
        write_tables(trials, out)
    trial_documents = [msgspec.to_builtins(trial) for trial in trials]
    told(
        json,
        {**document("detect", found, asdict(size)), "trials": trial_documents},
        [*lines(found), "", *monitors_table(trials), "", *skews_table(trials)],
    )
    sys.exit(1 if failed(found) else 0)


@bench_app.command("monitor")
def monitor(small: SmallFlag = False, home: HomeFlag = None, json: JsonFlag = False) -> None:
    """One night of a million listeners: seconds and memory of frames and four suites."""
    from lab.bench.monitor import FULL, SMALL, bench_monitor
    from lab.bench.report import document, failed, lines

    size = SMALL if small else FULL
    rows = bench_monitor(load_settings(home=home), size, _progress)
    told(json, document("monitor", rows, asdict(size)), lines(rows))
    sys.exit(1 if failed(rows) else 0)
