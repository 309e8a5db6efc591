"""The test kit: what makes faults happen at a chosen place, for tests of Skewlab and of projects like it.

- ``HandClock``: a clock that stands until somebody moves it.
- ``play``: a scripted log; records with markers (``CRASH``, ``REDELIVER``, ``LOSE_REPLY``) drive a ``Member`` over a ``Store``.
- ``held``: all that a store holds of a partition, to hold a disturbed run against a calm one.
- ``RedisProxy``: stands between a client and a Redis; loses a chosen reply or request, cuts, refuses, delays, holds.

It needs no test framework, and nothing here sleeps or draws chances: the same script fails at the same place every time.
"""

from streaming.testing.clock import HandClock
from streaming.testing.held import Held, held
from streaming.testing.proxy import RedisProxy
from streaming.testing.script import (
    CRASH,
    CRASH_AFTER_WRITE,
    CRASH_BEFORE_WRITE,
    LOSE_REPLY,
    REDELIVER,
    Entry,
    Killed,
    Marker,
    Played,
    Raw,
    Redeliver,
    play,
)

__all__ = [
    "CRASH",
    "CRASH_AFTER_WRITE",
    "CRASH_BEFORE_WRITE",
    "LOSE_REPLY",
    "REDELIVER",
    "Entry",
    "HandClock",
    "Held",
    "Killed",
    "Marker",
    "Played",
    "Raw",
    "Redeliver",
    "RedisProxy",
    "held",
    "play",
]
