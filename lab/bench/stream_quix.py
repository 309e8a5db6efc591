"""Quix Streams as a contender: each listener's count and mean of ``ms_played``, kept in its state, into Redis by its own sink.

Runs in an environment of its own (``own_env``), so it imports nothing of Skewlab but the meter. Settings are Quix Streams' own
defaults, state in RocksDB with a changelog topic among them; only a small run asks for checkpoints oftener than every 5 s. A
checkpoint is noted once the sink has written all of it. The two sums are one entry of the state, the cheapest form there is.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]
from quixstreams.sinks import SinkBatch  # type: ignore[import-not-found]
from quixstreams.sinks.community.redis import RedisSink  # type: ignore[import-not-found]

from lab.bench.stream_meter import Meter, begin, orders, tell


class MeteredSink(RedisSink):  # type: ignore[misc]
    """The sink, noting how many records it has written."""

    def __init__(self, meter: Meter, **options: Any) -> None:
        super().__init__(**options)
        self._meter, self._written = meter, 0

    def write(self, batch: SinkBatch) -> None:
        """See ``RedisSink.write``."""
        super().write(batch)
        self._written += batch.size

    def flush(self) -> None:
        """See ``BatchingSink.flush``: all partitions of a checkpoint."""
        super().flush()
        self._meter.add(self._written)
        self._written = 0


def counted(value: dict[str, Any], state: State) -> dict[str, float]:
    """Count an event into its listener's state; return count and mean."""
    count, total = state.get("sums", (0, 0))
    sums = (count + 1, total + value["ms_played"])
    state.set("sums", sums)
    return {"count": sums[0], "mean_ms": sums[1] / sums[0]}


def main() -> None:
    """Read so many events from the start; control records, which have no listener, are passed over."""
    told, meter = orders(), Meter()
    left = told["events"]
    app = Application(
        broker_address=told["kafka"],
        consumer_group=told["group"],
        auto_offset_reset="earliest",
        state_dir=told["state"],
        commit_interval=told["checkpoint_s"],
        loglevel="WARNING",
    )

    def passed(_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            app.stop()  # the checkpoint that is open is written before it ends

    frame = app.dataframe(app.topic(told["topic"], value_deserializer="json", key_deserializer="str"))
    frame = frame.filter(lambda value: "control" not in value).apply(counted, stateful=True).update(passed)
    frame.sink(MeteredSink(meter, host=told["host"], port=told["port"], db=0))
    begin()
    app.run()
    tell({"marks": meter.marks})


if __name__ == "__main__":
    main()
