"""``skewlab bench``: measure a part against its baseline, on this machine."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from contract.settings import load_settings
from lab.told import HomeFlag, JsonFlag, told

bench_app = typer.Typer(help="Measure a part against its baseline; exit 1 where a goal is missed.", rich_markup_mode=None)

SmallFlag = Annotated[bool, typer.Option("--small", help="The same in under a minute, with no claim.")]


@bench_app.callback()
def bench() -> None:
    """Measure a part against its baseline; exit 1 where a goal is missed."""


@bench_app.command("features")
def features(small: SmallFlag = False, home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Features of a night: Spark against DuckDB, a night after a night, memory, growth; and neighbours."""
    from lab.bench.features import FULL, SMALL, bench_features
    from lab.bench.report import document, failed, lines

    size = SMALL if small else FULL
    rows = bench_features(load_settings(home=home), size, lambda line: print(line, file=sys.stderr, flush=True))
    sizes = {"events": size.events, "sizes": list(size.sizes), "events_a_listener": size.events_a_listener}
    told(json, document("features", rows, sizes), lines(rows))
    sys.exit(1 if failed(rows) else 0)


@bench_app.command("stream")
def stream(small: SmallFlag = False, home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Live path on Kafka and Redis: against the client alone and Quix Streams; freshness, memory, size of states."""
    from lab.bench.report import document, failed, lines
    from lab.bench.stream import CHECKSUM, DECODER, FULL, SMALL, bench_stream

    size = SMALL if small else FULL
    rows = bench_stream(load_settings(home=home), size, lambda line: print(line, file=sys.stderr, flush=True))
    sizes = {**asdict(size), "decoder": DECODER, "crc32c": CHECKSUM}
    told(json, document("stream", rows, sizes), lines(rows))
    sys.exit(1 if failed(rows) else 0)
