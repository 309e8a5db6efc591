"""Going through a stretch of the log again says what the live path says, under any skew."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contract.skew import Skew
from contract.windows import DAY_MS
from lab.skews import catalogue
from tests.smallworld import Begun, begun

SEED = 2
STREAMING = {name: skew for name, skew in catalogue().items() if skew.side == "streaming" and skew.holds is Skew.holds}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> list[Begun]:
    return begun(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("name", STREAMING)
def test_a_stretch_under_a_skew_says_what_the_live_path_says(name: str, world: list[Begun]) -> None:
    skew = STREAMING[name](1, SEED)
    for one in world:
        assert one.stretch().rows((skew,), requests=True).equals(one.consumed(skew))


def test_a_stretch_can_be_gone_through_again_after_any_skew(world: list[Begun]) -> None:
    stretch = world[0].stretch()
    clean = stretch.rows(requests=True)
    assert not stretch.rows((STREAMING["seconds-for-milliseconds"](1, SEED),), requests=True).equals(clean)
    assert stretch.rows(requests=True).equals(clean)


def test_without_requests_there_are_the_midnights_alone(world: list[Begun]) -> None:
    both, midnights = world[0].stretch().rows(requests=True), world[0].stretch().rows()
    assert midnights.equals(both.filter(_at_midnight(both)))
    assert len(midnights) < len(both)


def test_a_stretch_of_some_listeners_says_the_same_of_them(world: list[Begun]) -> None:
    for one in world:
        everybody = one.stretch().rows()
        users = pc.unique(everybody.column("user_id"))[::3]
        few = one.stretch(users.to_pylist()).rows()
        assert few.equals(everybody.filter(pc.is_in(everybody.column("user_id"), users)))


def _at_midnight(rows: pa.Table) -> pa.Array:
    return pa.array(rows.column("as_of_ms").to_numpy() % DAY_MS == 0)
