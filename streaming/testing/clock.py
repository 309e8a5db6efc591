"""A clock that is moved by hand."""

from __future__ import annotations

from contract.errors import UsageError


class HandClock:
    """Stands where it was put. It can take the place of ``time.time`` and ``time.monotonic``: called, it answers in seconds.

    >>> clock = HandClock(1_767_225_600_000)
    >>> clock.forward(1_500)
    1767225601500
    >>> clock()
    1767225601.5
    """

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        """Return the instant in seconds."""
        return self.now_ms / 1000

    def forward(self, ms: int) -> int:
        """Let some milliseconds pass; return the new instant.

        Raises:
            UsageError: time does not pass backwards; ``set`` does what an administrator does to a wall clock.
        """
        if ms < 0:
            raise UsageError(f"A clock cannot go forward by {ms} ms", "", "Set it: 'clock.set(...)'")
        self.now_ms += ms
        return self.now_ms

    def set(self, now_ms: int) -> None:
        """Put the clock to any instant, also an earlier one."""
        self.now_ms = now_ms
