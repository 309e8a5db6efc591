"""The commands that run beside a stack: consume, archive, serve."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from contract.catalogue import Catalogue
from contract.event import Event
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark, encode
from contract.settings import Settings
from contract.skew import RawRecord
from contract.versions import Versions
from contract.windows import DAY_MS
from lab.overrides import read_overrides
from lab.pipeline import Pipeline
from lab.stack import addresses, open_stack
from streaming.consumer import consume
from streaming.kafka_log import create_topics
from streaming.member import Member
from streaming.metrics import LiveMetrics, served
from streaming.overrides import Overrides
from streaming.store import MemoryStore

Tell = Callable[[str], None]


def consume_live(settings: Settings, metrics_port: int | None, stop: threading.Event, tell: Tell) -> dict[int, int]:
    """Be a member of the consumer group until ``stop`` is set; return where each partition of it then stood.

    ``metrics_port`` is where Prometheus may ask, on loopback; None serves no metrics. ``tell`` gets what is worth a line.
    """
    kafka, _ = addresses(settings)
    metrics = LiveMetrics()
    with served(metrics, metrics_port) if metrics_port is not None else nullcontext():
        create_topics(kafka, settings.partitions)
        _warm_up()
        with open_stack(settings) as stack:
            overrides = Overrides(read_overrides(settings.places))
            member = Member(settings.places, stack.store, settings.partitions, None, overrides, settings.served_share)
            consume(member, stack.store, stack.log, kafka, stop, metrics=metrics, tell=tell)
            return {partition: member.position(partition) for partition in member.owned()}


def _warm_up() -> None:
    """Let a member of its own take a listen and a midnight, so that machine code is loaded before a partition waits for it."""
    midnight_ms = 20_000 * DAY_MS
    listen = Event("e", "u", "i", None, "music", midnight_ms - 1, midnight_ms, 60_000, 90_000, 0, "phone", "SE", None, 1)
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        Versions(home.versions).publish_initial(Catalogue.of([]))
        member = Member(home, MemoryStore(), 1, None)
        member.take_over(0)
        member.feed(0, [RawRecord(0, b"u", encode(listen)), RawRecord(1, None, encode(Watermark(midnight_ms)))])


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
