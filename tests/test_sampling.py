"""What of a day is judged: whole listeners, others every night, never nobody; every commit of the day."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contract.errors import CannotJudge
from contract.features import KEY_FIELDS
from contract.lake import Commit, LakeFile
from contract.windows import DAY_MS
from monitoring.compare import align
from monitoring.night import REQUESTS, _of_the_day, sampled

NIGHT = 20_461 * DAY_MS


def served(**rows: int) -> pa.Table:
    users = [user for user, count in rows.items() for _ in range(count)]
    found = [{"user_id": u, "as_of_ms": i, "partition": 0, "cut": i, "version": "v"} for i, u in enumerate(users)]
    return pa.Table.from_pylist(found, pa.schema(KEY_FIELDS))


def users(table: pa.Table) -> set[str]:
    return set(table.column("user_id").to_pylist())


def test_a_day_that_fits_is_judged_whole() -> None:
    assert len(sampled(served(ann=REQUESTS - 10, bob=10), NIGHT)) == REQUESTS


def test_one_busy_listener_does_not_empty_the_sample() -> None:
    for night in range(NIGHT, NIGHT + 20 * DAY_MS, DAY_MS):
        kept = sampled(served(ann=REQUESTS + 1, bob=10), night)
        assert kept.num_rows in {REQUESTS + 1, 10}


def test_all_rows_of_a_listener_are_kept_and_not_the_same_listeners_every_night() -> None:
    day = served(**{f"user{i}": 30 for i in range(100)})
    nights = [users(sampled(day, NIGHT + night * DAY_MS)) for night in range(10)]
    assert all(len(sampled(day, NIGHT + night * DAY_MS)) == 30 * len(nights[night]) <= REQUESTS for night in range(10))
    assert len(set.union(*nights)) > 3 * len(nights[0])


def test_every_commit_between_two_midnights_is_of_the_day() -> None:
    def commit(first: int, end: int, **marks: int) -> Commit:
        at = {NIGHT + int(day[1:]) * DAY_MS: offset for day, offset in marks.items()}
        return Commit(0, first, end, None, None, at, [], [LakeFile("f", "d", end - first)])

    commits = [commit(0, 10, d0=9), commit(10, 20), commit(20, 30), commit(30, 41, d1=40), commit(41, 50)]
    assert [c.first for c in _of_the_day(commits, NIGHT + DAY_MS, 40)] == [10, 20, 30]
    assert [c.first for c in _of_the_day(commits, NIGHT, 9)] == [0]


def test_a_request_that_the_live_path_has_twice_is_extra_once() -> None:
    once, twice = served(ann=1, bob=1), pa.concat_tables([served(ann=1, bob=1), served(ann=1)])
    pair = align(once, twice, ("user_id", "as_of_ms", "cut"))
    assert (len(pair), len(pair.missing), len(pair.extra)) == (2, 0, 1)


def test_a_request_that_the_batch_path_has_twice_cannot_be_judged() -> None:
    with pytest.raises(CannotJudge, match="two rows of one request"):
        align(pa.concat_tables([served(ann=1), served(ann=1)]), served(ann=1), ("user_id", "as_of_ms", "cut"))
