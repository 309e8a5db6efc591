"""The consumer group: how its members join, what they note of a rebalance, how one that died is taken out at once.

Members are dynamic and the assignor is the cooperative sticky one (KIP-429): in a rebalance a partition stays where it is unless
it has to move, so its state is not read again, and a member that leaves says so and is not waited for. Static membership
(``group_instance_id``) is not used: a static member never says that it leaves, so its partitions would stand still until
the session is over.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError

from contract.keys import CONSUMER_GROUP, EVENTS
from streaming.kafka_log import CLIENT, told

FETCH_BYTES = 8 << 20
"""How much one answer of Kafka may hold, so that what waits in memory is bounded whatever the backlog is."""


@dataclass(frozen=True)
class Timing:
    """How patient a member is, in ms and s.

    ``session_ms`` is the broker's least: a member that died without a word is found out after it. At a heartbeat a member learns
    that the group forms anew, which takes two rounds where partitions move. ``poll_interval_ms`` is how
    long a member that still sends heartbeats may hang; steps of any length are no hanging, the consumer polls beside them.
    ``outage_s`` is how long Kafka or Redis may be away.
    """

    session_ms: int = 6_000
    heartbeat_ms: int = 500
    poll_interval_ms: int = 60_000
    long_step_s: float = 1.0
    outage_s: float = 60.0


TIMING = Timing()


@dataclass
class Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """The partitions that came or went since this was last looked at; those that came wait, paused, until they are sought.

    Kafka calls it from its own thread, and only while the consumer polls or closes.
    """

    assignor: CooperativeStickyAssignor = field(default_factory=CooperativeStickyAssignor)
    consumer: KafkaConsumer | None = None
    changed: set[int] = field(default_factory=set)
    rebalances: int = 0

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Note partitions that another member gets."""
        self._note(revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Note that the group thought this member dead, and claim nothing of what it had when it joins again.

        The assignor would go on claiming it, and what a member claims wrongly is given to nobody until the next rebalance.
        """
        self.assignor.member_assignment = None
        self._note(lost)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note partitions that came, and hold them: they are read from where the store stands, once that is known."""
        assert self.consumer is not None
        for place in assigned:
            self.consumer.pause(place)
            self.consumer.seek(place, 0)  # any place will do: without one, Kafka is asked for an offset that is no truth
        self._note(assigned)

    def taken(self) -> set[int]:
        """Return what changed, and forget it."""
        changed, self.changed = self.changed, set()
        return changed

    def _note(self, places: Iterable[TopicPartition]) -> None:
        self.changed |= {place.partition for place in places}
        self.rebalances += 1


def join(bootstrap: str, timing: Timing) -> tuple[KafkaConsumer, Changes]:
    """Become a member of the group, which the first poll completes.

    The client is made to know the topic's partitions first. One that leads the group without knowing them gives nobody anything,
    joins again once it does, and loses what it is given then where a poll ends between the two answers (kafka-python 3.0.12): it
    would sit there without partitions, heartbeats or an error.
    """
    changes = Changes()
    changes.consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client_id(os.getpid()),
        group_id=CONSUMER_GROUP,
        partition_assignment_strategy=[changes.assignor],
        enable_auto_commit=False,
        auto_offset_reset="none",  # an offset that Kafka does not hold is an error here, never a jump
        session_timeout_ms=timing.session_ms,
        heartbeat_interval_ms=timing.heartbeat_ms,
        max_poll_interval_ms=timing.poll_interval_ms,
        fetch_max_bytes=FETCH_BYTES,
        **CLIENT,
    )
    changes.consumer.subscribe([EVENTS], listener=changes)
    changes.consumer.partitions_for_topic(EVENTS)
    return changes.consumer, changes


def client_id(pid: int) -> str:
    """Return the name by which the group knows the member in a process of this machine."""
    return f"skewlab-{socket.gethostname()}-{pid}"


def remove(bootstrap: str, pid: int) -> None:
    """Take a member out of the group whose process has ended, as far as Kafka answers; the end of its session does it else."""
    with suppress(KafkaError):
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, **CLIENT)
        try:
            group = admin.describe_groups([CONSUMER_GROUP])[CONSUMER_GROUP]
            dead = [MemberToRemove(one["member_id"]) for one in group["members"] if one["client_id"] == client_id(pid)]
            admin.remove_group_members(CONSUMER_GROUP, dead)
        finally:
            admin.close()


def positions(bootstrap: str) -> dict[int, int]:
    """Return the offsets that the members last committed, by partition.

    Raises:
        InfrastructureError: Kafka is away.
    """
    with told(bootstrap):
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, **CLIENT)
        try:
            found = admin.list_group_offsets({CONSUMER_GROUP: None})[CONSUMER_GROUP]
        finally:
            admin.close()
    return {place.partition: committed.offset for place, committed in sorted(found.items()) if place.topic == EVENTS}


def at(partition: int) -> TopicPartition:
    """Return a partition of the events topic as Kafka's client names it."""
    return TopicPartition(EVENTS, partition)
