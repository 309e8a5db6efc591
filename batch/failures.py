"""What Spark says where it gives up, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError  # type: ignore[import-untyped]

from contract.errors import InfrastructureError

LONGEST = 300
_CAUSED = re.compile(r"^Caused by: (.+)$", re.MULTILINE)
_THROWN = re.compile(r"^: (.+)$", re.MULTILINE)
_PACKAGE = re.compile(r"^(?:[\w$]+\.)+(?=\w)")


def cause(error: BaseException) -> str:
    """Return the innermost cause that Spark names in an exception, without the packages in front of its class."""
    said = str(error)
    found = _CAUSED.findall(said) or _THROWN.findall(said) or said.strip().splitlines() or [type(error).__name__]
    return _PACKAGE.sub("", found[-1] if _CAUSED.search(said) else found[0])[:LONGEST]


@contextmanager
def spark_failures(todo: str) -> Iterator[None]:
    """Tell in one line where Spark gave up meanwhile: a job failed for good, or the cluster or the JVM is gone.

    Raises:
        InfrastructureError: it did. What Spark refuses to plan is a fault of the code, and left as it is.
    """
    try:
        yield
    except (Py4JError, ConnectionError) as error:
        raise InfrastructureError("Spark gave up", cause(error), todo) from error
