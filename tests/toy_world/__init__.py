"""A toy world whose every answer was worked out by hand from the definitions in the design: the specification by example.

``words`` holds what it is written in, ``catalogue`` the items. Then, by subject, one block a listener: what was heard, and the
row that both paths have to give. A listener's name says which edge of the rules it stands on. Two nights are worked out, and a
few rows served in the middle of a day.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from contract.home import Home
from contract.records import Activation, Watermark, partition_of
from contract.versions import Manifest, Version, Versions
from tests.toy_world import arrivals, catalogue, plays, podcasts, sessions, taste, windows
from tests.toy_world.words import BY_THE_NIGHT, DAY, NEXT_NIGHT, NIGHT, Listener, Sent, on
from tests.toylake import ToyLog, home_with

PARTITIONS = 13
"""So many that two of them have no listener at all: watermarks are all that these get."""

LISTENERS: tuple[Listener, ...] = tuple(
    value
    for subject in (windows, plays, sessions, podcasts, taste, arrivals)
    for value in vars(subject).values()
    if isinstance(value, Listener)
)


def toy_home(folder: Path) -> tuple[Home, dict[str, Version]]:
    """Return a home with both versions, by name."""
    home, first = home_with(folder, catalogue.FIRST)
    versions = Versions(home.versions)
    draft = versions.draft(BY_THE_NIGHT)
    catalogue.SECOND.write(draft / "catalogue.parquet")
    catalogue.item_vectors().write(draft / "item_vectors.parquet")
    second = versions.publish(draft, Manifest(BY_THE_NIGHT, NIGHT, {}, first.name, NIGHT, None, 0))
    return home, {first.name: first, second.name: second}


def toy_log() -> tuple[ToyLog, dict[tuple[int, int], str]]:
    """Return the log, and by (partition, offset) why a record of it has to be rejected.

    Records come in the order of time, those of one moment as they are written down, behind the watermark of that moment.
    """
    log, rejected = ToyLog(PARTITIONS), dict[tuple[int, int], str]()
    midnights = range(on(-29, "00:00"), NEXT_NIGHT + 1, DAY)
    records = chain.from_iterable(listener.records() for listener in LISTENERS)
    for entry in sorted([*midnights, *records], key=_arrival):
        if isinstance(entry, int):
            _midnight(log, entry)
            continue
        partition = (partition_of(entry.event.user_id, PARTITIONS) + entry.elsewhere) % PARTITIONS
        if entry.rejected is not None:
            rejected[partition, len(log.records[partition])] = entry.rejected
        log.raw(partition, (entry.key or entry.event.user_id).encode(), entry.value)
    return log, rejected


def _midnight(log: ToyLog, at_ms: int) -> None:
    log.control(Watermark(at_ms))
    if at_ms == NIGHT:
        log.control(Activation(BY_THE_NIGHT))
        log.control(Watermark(NIGHT))  # once more, which says nothing new


def _arrival(entry: int | Sent) -> int:
    if isinstance(entry, int):
        return entry
    return entry.event.received_at_ms if entry.at_ms is None else entry.at_ms
