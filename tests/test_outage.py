"""What a member waits for, and what ends it."""

from __future__ import annotations

import pytest
import redis
from kafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, KafkaError, KafkaTimeoutError

from contract.errors import InfrastructureError
from streaming.outage import Outage, passes


def caused(cause: Exception | None) -> InfrastructureError:
    error = InfrastructureError("Redis did not do 'commit'", "gone", "See 'skewlab doctor'")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        redis.exceptions.ConnectionError("refused"),
        redis.exceptions.TimeoutError("slow"),
        redis.exceptions.BusyLoadingError("reads its file"),
        KafkaTimeoutError("slow"),
        KafkaConnectionError("refused"),
    ],
)
def test_a_server_that_is_away_is_waited_for(cause: Exception) -> None:
    assert passes(caused(cause))


@pytest.mark.parametrize(
    "cause",
    [
        None,
        redis.exceptions.OutOfMemoryError("OOM command not allowed"),
        redis.exceptions.ResponseError("WRONGTYPE"),
        GroupAuthorizationFailedError("no"),
        KafkaError("whatever"),
    ],
)
def test_what_was_refused_or_is_missing_ends_the_member_at_once(cause: Exception | None) -> None:
    error = caused(cause)
    with pytest.raises(InfrastructureError) as raised:
        Outage(60, print).bear(error)
    assert raised.value is error


def test_an_outage_is_told_once_and_counted_once_until_it_is_over() -> None:
    lines: list[str] = []
    begun: list[None] = []
    outage = Outage(60, lines.append, lambda: begun.append(None))
    error = caused(redis.exceptions.ConnectionError("refused"))
    outage.over()
    outage.bear(error)
    outage.bear(error)
    assert lines == ["Redis did not do 'commit': gone. See 'skewlab doctor'. Waiting up to 60 s."]
    outage.over()
    outage.over()
    assert len(lines) == 2
    outage.bear(error)
    assert len(begun) == 2


def test_patience_ends() -> None:
    outage = Outage(0, lambda _: None)
    error = caused(redis.exceptions.ConnectionError("refused"))
    outage.bear(error)
    with pytest.raises(InfrastructureError):
        outage.bear(error)
