"""Everything that Skewlab raises on purpose.

    SkewlabError
    ├── UsageError            the call, a setting or a file given by the user is wrong
    ├── InfrastructureError   Java, Kafka, Redis, disk or a port is missing or away
    └── CannotJudge           a check has nothing to judge; never to be read as a pass

A message is one line: what happened, why, what to do. The command line prints it as it is and exits with ``exit_code``.
"""

from __future__ import annotations


class SkewlabError(Exception):
    """The root. ``exit_code`` is what the command line ends with."""

    exit_code = 2

    def __init__(self, what: str, why: str = "", todo: str = "") -> None:
        """Join the parts of the message that are given: what happened, why, what to do. Always one line."""
        cause = ": ".join(part.rstrip(".") for part in (what, why) if part)
        super().__init__(" ".join(" ".join(f"{part.rstrip('.')}." for part in (cause, todo) if part).split()))


class UsageError(SkewlabError):
    """The call, a setting or a file given by the user is wrong."""


class InfrastructureError(SkewlabError):
    """Java, Kafka, Redis, the disk or a port is missing or away."""


class CannotJudge(SkewlabError):
    """A check has nothing to judge."""
