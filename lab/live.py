"""The commands that run beside a stack: consume, archive, serve."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from contract.lake import Lake
from contract.settings import Settings
from lab.overrides import read_overrides
from lab.pipeline import Pipeline
from lab.stack import addresses, open_stack
from streaming.consumer import consume
from streaming.kafka_log import create_topics
from streaming.member import Member
from streaming.metrics import LiveMetrics, served
from streaming.overrides import Overrides
from streaming.warm import load

Tell = Callable[[str], None]


def consume_live(settings: Settings, metrics_port: int | None, stop: threading.Event, tell: Tell) -> dict[int, int]:
    """Be a member of the consumer group until ``stop`` is set; return where each partition of it then stood.

    ``metrics_port`` is where Prometheus may ask, on loopback; None serves no metrics. ``tell`` gets what is worth a line.
    """
    kafka, _ = addresses(settings)
    metrics = LiveMetrics()
    with served(metrics, metrics_port) if metrics_port is not None else nullcontext():
        create_topics(kafka, settings.partitions)
        load()  # before a partition waits for machine code
        with open_stack(settings) as stack:
            member = Member(settings.places, stack.store, settings.partitions, None, served_share=settings.served_share)
            member.recorded = lambda: Overrides(read_overrides(settings.places))  # asked at each takeover: see lab.inject
            consume(member, stack.store, stack.log, kafka, stop, metrics=metrics, tell=tell)
            return {partition: member.position(partition) for partition in member.owned()}


@contextmanager
def until_asked_to_end() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set meanwhile."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def archive_now(settings: Settings) -> dict[int, int]:
    """Bring what the topics hold into the lake; return the archived end of each partition."""
    addresses(settings)
    home = settings.places
    with open_stack(settings) as stack:
        member = Member(home, stack.store, settings.partitions, None)
        pipeline = Pipeline(home, stack.log, stack.store, member, settings.partitions)
        pipeline.open_archives()
        pipeline.archive()
    lake = Lake(home.lake)
    return {partition: lake.end(partition) for partition in range(settings.partitions)}


def serve_api(settings: Settings, port: int, ready: Callable[[], None]) -> None:
    """Serve the live rows on loopback until interrupted; ``ready`` is called before the first answer."""
    import uvicorn

    from lab.stack.kafka import require_free
    from serving.api import make_api
    from streaming.redis_store import connect

    _, redis = addresses(settings)
    require_free(port)
    api = make_api(connect(redis), settings.partitions, settings.places)
    ready()
    uvicorn.run(api, host="127.0.0.1", port=port, log_level="warning")
