"""The skew interface: its severity, its hooks that change nothing by themselves, its chances, and where a skew acts."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from contract.errors import UsageError
from contract.event import Event, Events
from contract.features import FeatureConstants
from contract.skew import Acting, PerEvent, RawRecord, Skew
from tests.toylake import event


class Nothing(Skew):
    id = "nothing"


BATCH = Events.of([event("ann", "a", 10), event("bob", "b", 20, kind="podcast"), event("ann", "c", 30)], [4, 5, 7])
HOOKS: dict[str, tuple[object, ...]] = {
    # what the hook changes, and what else it is given
    "transport": ([RawRecord(0, None, None)], 3),
    "event": (BATCH, 3),
    "settings": (FeatureConstants(),),
    "state": (object(),),
    "clock": (1_767_830_400_000,),
    "features": ({}, object()),
    "serves": (np.ones(3, np.bool_), object()),
    "keys": (BATCH.user_id,),
    "batch_settings": (FeatureConstants(),),
    "batch_events": (object(),),
    "batch_features": (object(),),
    "batch_training": (object(),),
    "world": (BATCH, 0),
}


@pytest.mark.parametrize("severity", [0, 0.5, 1])
def test_a_severity_is_from_0_to_1(severity: float) -> None:
    assert Nothing(severity).severity == severity


@pytest.mark.parametrize("severity", [-0.001, 1.001, float("nan"), float("inf")])
def test_a_severity_out_of_its_range_is_refused(severity: float) -> None:
    with pytest.raises(UsageError, match="'nothing' is out of range"):
        Nothing(severity)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_is_not_overridden_gives_back_the_very_thing_it_got(hook: str) -> None:
    given, *rest = HOOKS[hook]
    assert getattr(Nothing(), hook)(given, *rest) is given


def test_no_step_waits_where_nothing_is_overridden() -> None:
    assert not Nothing().holds(0, 500)


def test_every_hook_is_checked_here() -> None:
    hooks = {name for name, value in vars(Skew).items() if callable(value) and not name.startswith("_")}
    assert hooks - {"holds", "chance", "chance_of", "hit"} == set(HOOKS)


class Some(Nothing):
    id = "some"
    value_name, unit, harmless, worst, tries, spread = "gap", "min", 30, 10, (10, 20), 0.5


class Everybody(Some):
    id = "everybody"
    tries, spread = (), 1.0


def test_a_value_runs_from_harmless_to_worst() -> None:
    assert [Some(severity).value for severity in (0, 0.25, 1)] == [30, 25, 10]
    assert Some(0.25).told == "gap 25 min"
    assert Nothing(0.25).told == ""


def test_without_a_named_value_severity_is_the_share_of_listeners() -> None:
    names = [f"user-{i}" for i in range(4000)]
    assert abs(Nothing(0.25).hit(names).mean() - 0.25) < 0.03
    assert abs(Some(0.25).hit(names).mean() - 0.5) < 0.03
    assert not Nothing(0).hit(names).any()


def test_an_explanation_hits_everybody_with_each_value_that_is_worth_a_try() -> None:
    tried = Some.hypotheses()
    assert [(skew.value, skew.share) for skew in tried] == [(10, 1), (20, 1)]
    assert all(isinstance(skew, Some) for skew in tried)
    assert [(skew.value, skew.share) for skew in Everybody.hypotheses()] == [(10, 1)]
    assert [Nothing.hits_some(), Some.hits_some(), Everybody.hits_some()] == [True, True, False]


OFFSETS = np.arange(-20_000, 80_000)  # history stands below 0


def test_a_chance_is_the_same_for_the_same_seed_partition_and_offset() -> None:
    assert np.array_equal(Nothing(seed=7).chance(3, OFFSETS), Nothing(0.1, seed=7).chance(3, OFFSETS))


def test_a_chance_is_another_for_another_seed_partition_or_skew() -> None:
    class Other(Skew):
        id = "other"

    draws = [Nothing().chance(3, OFFSETS), Nothing(seed=1).chance(3, OFFSETS), Nothing().chance(4, OFFSETS)]
    draws.append(Other().chance(3, OFFSETS))
    for i, one in enumerate(draws):
        for other in draws[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.02  # 6 standard errors of 100,000 draws


def test_chances_are_uniform_from_0_to_below_1() -> None:
    draws = Nothing().chance(3, OFFSETS)
    tenths = np.bincount((draws * 10).astype(int), minlength=10)
    assert 0 <= draws.min() <= draws.max() < 1
    assert np.abs(tenths - 10_000).max() < 500  # over 5 standard deviations: sqrt(100,000 * 0.1 * 0.9) is 95


def test_neighbours_have_unrelated_chances() -> None:
    draws = Nothing().chance(3, OFFSETS)
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.02


def test_a_chance_does_not_depend_on_how_records_fall_into_batches() -> None:
    skew = Nothing(seed=7)
    parts = [skew.chance(3, part) for part in np.split(OFFSETS, [1, 500, 501, 60_000])]
    assert np.array_equal(np.concatenate(parts), skew.chance(3, OFFSETS))
    assert np.array_equal(skew.chance(3, OFFSETS[::-1]), skew.chance(3, OFFSETS)[::-1])


def test_the_chance_of_a_name_is_its_own_in_any_company_and_changes_with_the_seed() -> None:
    together = Nothing().chance_of(["ann", "bob", "zoë"])
    assert [Nothing().chance_of([name])[0] for name in ("ann", "bob", "zoë")] == together.tolist()
    assert len({*together.tolist(), *Nothing(seed=1).chance_of(["ann", "bob", "zoë"]).tolist()}) == 6
    assert len(Nothing().chance_of([])) == 0


class OnlyMusicTwiceAsLong(PerEvent):
    id = "only-music-twice-as-long"

    def each(self, event: Event) -> Event | None:
        return msgspec.structs.replace(event, ms_played=2 * event.ms_played) if event.kind == "music" else None


def test_a_form_for_one_event_that_does_nothing_leaves_the_batch_as_it_was() -> None:
    class Same(PerEvent):
        id = "same"

    lifted = Same().event(BATCH, 0)
    assert lifted.to_records() == BATCH.to_records()
    assert lifted.offset.tolist() == [4, 5, 7]


def test_a_form_for_one_event_changes_and_drops_and_the_rest_keeps_its_offsets() -> None:
    lifted = OnlyMusicTwiceAsLong().event(BATCH, 0)
    assert lifted.item_id.tolist() == ["a", "c"]
    assert lifted.ms_played.tolist() == [200_000, 200_000]
    assert lifted.offset.tolist() == [4, 7]


def test_a_form_for_one_event_may_drop_all() -> None:
    assert len(OnlyMusicTwiceAsLong().event(BATCH.take(np.array([1])), 0)) == 0


def test_a_skew_acts_from_its_onset_to_before_its_end_in_the_partitions_that_it_names() -> None:
    acting = Acting(Nothing(), onset={0: 10, 1: 20}, until={0: 15})
    assert [offset for offset in range(30) if acting.at(0, offset)] == [10, 11, 12, 13, 14]
    assert [offset for offset in range(30) if acting.at(1, offset)] == list(range(20, 30))
    assert not any(acting.at(2, offset) for offset in range(30))


def test_steps_end_where_a_skew_begins_or_ends() -> None:
    acting = Acting(Nothing(), onset={0: 10, 1: 20}, until={0: 15})
    assert [acting.edges(partition) for partition in (0, 1, 2)] == [[10, 15], [20], []]


def test_offset_0_is_an_onset_and_an_edge() -> None:
    acting = Acting(Nothing(), onset={0: 0})
    assert acting.at(0, 0)
    assert acting.edges(0) == [0]
