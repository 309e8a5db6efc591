"""The ceiling of the client: kafka-python's poll, and msgspec decoding each value to an ``Event``; nothing is done with it."""

from __future__ import annotations

import msgspec
from kafka import KafkaConsumer, TopicPartition

from contract.event import Event
from contract.keys import EVENTS
from lab.bench.stream_meter import Meter, begin, orders, tell
from streaming.kafka_log import CLIENT, FETCH_RECORDS
from streaming.patience import POLL_MS


def main() -> None:
    """Read so many records of all partitions from the start, with the fetch settings of the live path."""
    told, meter = orders(), Meter()
    consumer = KafkaConsumer(bootstrap_servers=told["kafka"], enable_auto_commit=False, auto_offset_reset="earliest", **CLIENT)
    places = [TopicPartition(EVENTS, partition) for partition in range(told["partitions"])]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    decode = msgspec.json.Decoder(Event).decode
    begin()
    while meter.records < told["records"]:
        for records in consumer.poll(timeout_ms=POLL_MS, max_records=FETCH_RECORDS).values():
            for record in records:
                if record.key is not None:
                    decode(record.value)
            meter.add(len(records))
    consumer.close()
    tell({"marks": meter.marks})


if __name__ == "__main__":
    main()
