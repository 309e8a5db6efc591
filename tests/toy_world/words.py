"""What the toy world is written in: instants, listens, records on their way, and the row that a listener should get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from contract.event import Event
from tests.toylake import event

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NIGHT = 1_772_409_600_000
"""The night that most rows are worked out for: 2026-03-02T00:00:00Z. The version ``initial`` is active at its cut."""
NEXT_NIGHT = NIGHT + DAY
"""The night after it. Behind the watermark of ``NIGHT`` the second version was activated."""
BY_THE_NIGHT = "2026-03-02"
"""The name of the second version."""


def on(day: int, clock: str) -> int:
    """Return the instant at which UTC clocks show ``clock`` on a day: day 0 begins at ``NIGHT``, day -1 ends there."""
    hours, minutes, seconds = [*map(int, clock.split(":")), 0][:3]
    return NIGHT + day * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND


def decayed(*ages_ms: int) -> float:
    """Return what is left of plays of these ages, half after seven days; exact powers are written out where there are any."""
    return sum(2.0 ** (-age / (7 * DAY)) for age in ages_ms)


def song(item: str, ts_ms: int, *, played: int = 3 * MINUTE, of: int | None = 4 * MINUTE, **fields: object) -> Event:
    """Three minutes of a song of four, on a speaker, in UTC, received when it ended."""
    return event("", item, ts_ms, **{"ms_played": played, "duration_ms": of, "device": "speaker", **fields})


def episode(item: str, ts_ms: int, *, played: int = 30 * MINUTE, of: int | None = HOUR, **fields: object) -> Event:
    """Half an hour of an episode of one hour."""
    return song(item, ts_ms, played=played, of=of, kind="podcast", **fields)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A record that is not just an event at its place in time."""

    event: Event
    at_ms: int | None = None
    """When it got into the log; None: when the collector received it."""
    changed: Mapping[str, object] = field(default_factory=dict)
    """JSON fields that are not as an event's should be."""
    without: str | None = None
    """A JSON field that is missing."""
    raw: tuple[bytes | None] | None = None
    """What is in the record in place of JSON."""
    key: str | None = None
    """The key, where it is not the user id."""
    elsewhere: bool = False
    """It stands in the partition beside its own."""
    rejected: str | None = None
    """Why it has to be a dead letter."""

    @property
    def value(self) -> bytes | None:
        """The record's value on the wire."""
        if self.raw is not None:
            return self.raw[0]
        fields = {**msgspec.to_builtins(self.event), **self.changed}
        return msgspec.json.encode({name: value for name, value in fields.items() if name != self.without})


@dataclass(frozen=True, kw_only=True)
class Row:
    """All features of a listener at an instant.

    The defaults are those of somebody to whom nothing of the kind happened: a zero denominator gives null, a count gives 0.
    ``genre_affinity`` is over Ska, folk, jazz, rock, talk; with the second version over Ska, ambient, folk, jazz, rock, talk.
    """

    plays_24h: int = 0
    plays_7d: int = 0
    plays_yesterday: int = 0
    active_days_28d: int = 0
    skip_rate_28d: float | None = None
    replay_rate_28d: float | None = None
    completion_28d: float | None = None
    listen_minutes_28d: float
    distinct_items_28d: int
    recency_hours: float
    decayed_plays: float
    sessions_7d: int = 0
    session_minutes_7d: float | None = None
    night_share_28d: float
    phone_share_28d: float = 0.0
    podcast_share_28d: float | None = 0.0
    podcast_completion_28d: float | None = None
    show_completion_28d: Mapping[str, float] = field(default_factory=dict)
    show_listens_28d: Mapping[str, int] = field(default_factory=dict)
    top_genre: str | None = None
    top_genre_affinity: float | None = None
    genre_affinity: Sequence[float]
    user_vector: Sequence[float] | None = None


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener: the name says the edge, ``sent`` is what was heard, the rest what has to come of it.

    ``nights`` and ``served`` hold, by instant, the row in everybody's rows of a night and the row served after a click; None
    where there must not be one.
    """

    name: str
    sent: Sequence[Event | Sent]
    nights: Mapping[int, Row | None] = field(default_factory=dict)
    served: Mapping[int, Row] = field(default_factory=dict)

    def records(self) -> list[Sent]:
        """Return what was sent, in the listener's own name."""
        sent = [one if isinstance(one, Sent) else Sent(event=one) for one in self.sent]
        return [replace(one, event=msgspec.structs.replace(one.event, user_id=self.name)) for one in sent]
