"""The lab's own pair of hands: sends records, lets the live path consume them, archives them, activates versions.

The same code works on the embedded stack, on one given by address and in this process: it sees a ``Log`` and a ``Store``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.event import Events
from contract.home import Home
from contract.keys import EVENTS, SERVED
from contract.lake import Lake
from contract.records import Activation, Control, Watermark, encode, partition_of
from contract.skew import RawRecord
from contract.windows import DAY_MS, floor_day
from streaming.archive import PartitionArchive, archive_served, served_end, sweep_served
from streaming.log import Log, Message
from streaming.member import Member
from streaming.relay import relay
from streaming.store import Store

HELD_BYTES = 1 << 26
"""The archiver holds so much of the log at most before it writes: some hundred MB as events in memory."""


@dataclass
class Consumed:
    """What the live path did with some records."""

    records: int = 0
    events: int = 0
    dead: dict[str, int] = field(default_factory=dict)
    steps: int = 0


@dataclass
class Pipeline:
    """One topic's way: collector, live path, archiver."""

    home: Home
    log: Log
    store: Store
    member: Member
    partitions: int
    held_bytes: int = HELD_BYTES
    _read: dict[int, int] = field(default_factory=dict)
    _swept: bool = False

    def archive_history(self, events: Events, until_ms: int) -> None:
        """Write the days before ``until_ms`` to the lake, as a log that ends at offset -1 in each partition.

        It is a log like any other: in the order in which the collector got the events, with a watermark for every midnight
        but the last, which is the first record of the run itself.
        """
        if not len(events):
            return
        lake = Lake(self.home.lake)
        midnights = range(floor_day(int(events.received_at_ms.min())), until_ms, DAY_MS)
        marks = [(at, None, encode(Watermark(at))) for at in midnights]
        mine: dict[int, list[tuple[int, bytes | None, bytes]]] = {p: list(marks) for p in range(self.partitions)}
        for event in events.to_records():
            key = event.user_id.encode()
            mine[partition_of(event.user_id, self.partitions)].append((event.received_at_ms, key, encode(event)))
        with lake.writing():
            for partition, sent in mine.items():
                archive = PartitionArchive(lake, partition, self.partitions)
                archive.start_at(-len(sent))
                in_order = sorted(sent, key=lambda one: one[0])  # stable: at a midnight the watermark comes first
                archive.absorb(RawRecord(i - len(sent), key, value) for i, (_, key, value) in enumerate(in_order))
                archive.flush()

    def open(self) -> None:
        """Take all partitions over; rebuild their state where the store has none."""
        self.take_over()
        self.open_archives()

    def take_over(self) -> None:
        """Go on where the store stands, with the state that it holds, in all partitions."""
        self._read = {partition: self.member.take_over(partition) for partition in range(self.partitions)}

    def open_archives(self) -> None:
        """Make sure that the lake has as many partitions as the log.

        Raises:
            InfrastructureError: it was begun with another number of them, or another process writes it.
        """
        lake = Lake(self.home.lake)
        with lake.writing():
            lake.settle(self.partitions)

    def send(self, messages: Iterable[Message]) -> None:
        """Append records to the events topic."""
        self.log.append(EVENTS, messages)

    def control(self, record: Control) -> None:
        """Append a control record to every partition."""
        self.send((partition, None, encode(record)) for partition in range(self.partitions))

    def activate(self, version: str) -> None:
        """Make a published version the active one in every partition."""
        self.control(Activation(version))

    def consume(self, also: Callable[[int, Sequence[RawRecord]], object] = lambda *_: None) -> Consumed:
        """Let the live path take all that the topic holds; ``also`` is given the same records."""
        done = Consumed()
        while records := self.log.read(EVENTS, self._read):
            for partition, batch in sorted(records.items()):
                self._read[partition] = batch[-1].offset + 1
                also(partition, batch)
                done.records += len(batch)
                for step in self.member.feed(partition, batch):
                    done.steps += 1
                    done.events += step.counted
                    for letter in step.dead:
                        done.dead[letter.reason] = done.dead.get(letter.reason, 0) + 1
            relay(self.store, self.log, sorted(records))
        return done

    def archive(self) -> None:
        """Bring the events topic and the served log into the lake, up to their ends, behind what is there.

        Raises:
            InfrastructureError: another process writes the lake.
        """
        lake = Lake(self.home.lake)
        with lake.writing():
            if not self._swept:  # once: what another writer leaves behind later waits for the next process
                lake.sweep(replaced=False)
                sweep_served(self.home.served)
                self._swept = True
            self._archive_events(lake)
            self._archive_served(self.home.served)

    def _archive_events(self, lake: Lake) -> None:
        archives = [PartitionArchive.resume(lake, partition, self.partitions) for partition in range(self.partitions)]
        for records in self._portions(EVENTS, {archive.partition: archive.next for archive in archives}):
            for partition, batch in records.items():
                archives[partition].absorb(batch)
                archives[partition].flush()

    def _archive_served(self, folder: Path) -> None:
        for records in self._portions(SERVED, {p: served_end(folder, p) for p in range(self.partitions)}):
            for partition, batch in records.items():
                archive_served(folder, partition, batch)

    def _portions(self, topic: str, positions: dict[int, int]) -> Iterator[dict[int, list[RawRecord]]]:
        """Yield what a topic holds from each partition's position on: all at once, or in portions of ``held_bytes``."""
        found: dict[int, list[RawRecord]] = {}
        held, at = 0, dict(positions)
        while records := self.log.read(topic, at):
            for partition, batch in records.items():
                found.setdefault(partition, []).extend(batch)
                at[partition] = batch[-1].offset + 1
                held += sum(len(record.value or b"") for record in batch)
            if held >= self.held_bytes:
                yield found
                found, held = {}, 0
        yield found

    def lag(self) -> int:
        """Return how many records of the topic are not yet behind the live path's stored offsets."""
        ends = self.log.ends(EVENTS)
        return sum(max(ends[p] - self.member.position(p), 0) for p in range(self.partitions))

    def ends(self) -> dict[int, int]:
        """Return the offsets behind the last records of the events topic."""
        return self.log.ends(EVENTS)
