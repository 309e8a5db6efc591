"""The collector under load: sends messages at a steady rate and notes when it had each of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from kafka import KafkaProducer

from contract.keys import EVENTS
from lab.bench.stream_meter import begin, orders, tell
from streaming.kafka_log import CLIENT
from streaming.log import Message

PULSE_S = 0.01
"""What falls due is sent this often."""
SAMPLED = 20


def main() -> None:
    """Send all; tell when each message was received (s, monotonic), in order, and how long Kafka took to have some of them."""
    told = orders()
    messages = msgspec.msgpack.decode(Path(told["messages"]).read_bytes(), type=list[Message])
    producer = KafkaProducer(bootstrap_servers=told["kafka"], acks="all", linger_ms=0, batch_size=1 << 16, **CLIENT)
    producer.partitions_for(EVENTS)  # so that the first message does not wait for it
    gc.freeze()  # no garbage is looked for among the messages: each such pause would be followed by a burst
    begin()
    received, delays = sent_evenly(producer, messages, told["rate"])
    tell({"received": received, "to_kafka": delays})


def sent_evenly(producer: KafkaProducer, messages: Sequence[Message], rate: float) -> tuple[list[float], list[float]]:
    """Send so many messages a second and close the producer.

    Return when each was handed over (s, monotonic), and of one in ``SAMPLED`` the seconds until Kafka acknowledged it.
    """
    begun, received, delays = time.monotonic(), list[float](), list[float]()

    def acknowledged(at: float, _: object) -> None:
        delays.append(time.monotonic() - at)

    while len(received) < len(messages):
        due = int((time.monotonic() - begun) * rate) + 1
        for partition, key, value in messages[len(received) : due]:
            received.append(time.monotonic())
            sent = producer.send(EVENTS, value, key, partition=partition)
            if len(received) % SAMPLED == 0:
                sent.add_callback(partial(acknowledged, received[-1]))
        time.sleep(PULSE_S)
    producer.close(timeout=30)
    return received, delays


if __name__ == "__main__":
    main()
