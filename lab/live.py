"""The commands that run beside a stack: consume, archive, serve."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from contract.lake import Lake
from contract.settings import Settings
from lab.overrides import read_overrides
from lab.pipeline import Pipeline
from lab.stack import addresses, open_stack
from streaming.consumer import consume
from streaming.kafka_log import create_topics
from streaming.member import Member
from streaming.overrides import Overrides


def consume_live(settings: Settings) -> dict[int, int]:
    """Be a member of the consumer group until a signal asks to end; return where each partition then stood."""
    kafka, _ = addresses(settings)
    create_topics(kafka, settings.partitions)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with open_stack(settings) as stack:
        overrides = Overrides(read_overrides(settings.places))
        member = Member(settings.places, stack.store, settings.partitions, None, overrides, settings.served_share)
        consume(member, stack.store, stack.log, kafka, stop)
        return {partition: member.position(partition) for partition in member.owned()}


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
