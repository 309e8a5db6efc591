"""Which model a night publishes: only what beats popularity, and nothing more complex than it must be; and its card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import batch.training
from batch.card import Trained, model_card, untrained_card
from batch.comparison import Comparison, compare
from batch.ranker import train
from batch.training import MIDNIGHTS, TrainingSet, sampled
from contract.ranker import COLUMNS, Linear, Ranker, Show
from contract.rows import Floats
from contract.windows import DAY_MS, iso_date, parse_instant

AS_OF = parse_instant("2026-02-01")
LISTENERS, SHOWS = 80, 12
POPULARITY, LISTENS, AFFINITY = (COLUMNS.index(name) for name in ("popularity", "show_listens_28d", "genre_affinity"))
CATALOGUE = tuple(Show(f"show-{i:02d}", "news", (SHOWS - i) / 20, 0.5, 30.0) for i in range(SHOWS))


def world(probable: str, seed: int = 1, midnights: int = MIDNIGHTS) -> TrainingSet:
    """Pairs whose probability of being finished depends on popularity alone, on listens, or on two columns together."""
    rng = np.random.default_rng(seed)
    n = LISTENERS * midnights
    inputs = rng.random((n, SHOWS, len(COLUMNS)))
    inputs[:, :, POPULARITY] = [show.popularity for show in CATALOGUE]
    finished = (rng.random((n, SHOWS)) < chance(inputs, probable)).astype(np.int64)
    midnight = AS_OF - DAY_MS * np.repeat(np.arange(midnights, 0, -1), LISTENERS)
    return TrainingSet(inputs, finished, midnight, np.tile(np.array([f"user-{i}" for i in range(LISTENERS)], object), midnights))


def chance(inputs: Floats, probable: str) -> Floats:
    listens, affinity = inputs[:, :, LISTENS], inputs[:, :, AFFINITY]
    return {
        "popularity": inputs[:, :, POPULARITY] ** 2,
        "listens": 0.4 * listens**4,
        "together": np.where((listens > 0.5) == (affinity > 0.5), 0.25, 0.01),
        "nothing": np.full(listens.shape, 0.1),
    }[probable]


def trained(pairs: TrainingSet, before: Ranker | None = None) -> Trained:
    comparison = compare(pairs)
    return Trained(AS_OF, pairs, comparison, CATALOGUE, train(pairs, comparison, CATALOGUE, AS_OF), before)


def test_what_a_line_can_tell_is_left_to_the_line() -> None:
    comparison = compare(world("listens"))
    assert comparison.chosen == "logistic regression"
    assert [rung.taken for rung in comparison.rungs] == [True, False]


def test_what_two_columns_tell_together_needs_trees() -> None:
    comparison = compare(world("together"))
    assert comparison.chosen == "gradient boosting"
    assert comparison.rungs[-1].difference > comparison.rungs[-1].error


def test_what_does_not_beat_popularity_is_not_published() -> None:
    pairs = world("popularity")
    comparison = compare(pairs)
    assert comparison.chosen is None
    assert train(pairs, comparison, CATALOGUE, AS_OF) is None


@pytest.mark.parametrize("probable", ["popularity", "nothing"])
def test_where_popularity_says_all_chance_seldom_makes_a_ranker(probable: str) -> None:
    chosen = [compare(world(probable, seed, midnights=3)).chosen for seed in range(8)]
    assert chosen.count(None) >= 5


@pytest.mark.parametrize(
    ("midnight", "where"), [(slice(0, -LISTENERS), "the earlier midnights"), (slice(-LISTENERS, None), "the last midnight")]
)
def test_without_a_finished_pair_on_either_side_nothing_is_said(midnight: slice, where: str) -> None:
    pairs = world("listens")
    pairs.finished[midnight] = 0
    comparison = compare(pairs)
    assert (comparison.chosen, list(comparison.measured)) == (None, [])
    assert where in comparison.why


def test_one_midnight_is_not_enough() -> None:
    assert compare(world("listens", midnights=1)).chosen is None


def test_one_listener_with_a_finished_pair_decides_nothing() -> None:
    pairs = world("listens")
    pairs.finished[-LISTENERS + 1 :] = 0
    assert compare(pairs).chosen is None


def test_the_held_out_midnight_does_not_teach_the_candidates() -> None:
    pairs = world("listens")
    turned = replace(pairs, finished=pairs.finished.copy())
    turned.finished[-LISTENERS:] = 1 - turned.finished[-LISTENERS:]
    before, after = (compare(one).measured[1].scores for one in (pairs, turned))
    np.testing.assert_array_equal(before, after)


def test_the_winner_learns_from_all_midnights_and_says_how_it_did() -> None:
    pairs = world("listens")
    ranker = trained(pairs).ranker
    assert ranker is not None
    assert isinstance(ranker.model, Linear)
    assert ranker.rows == pairs.finished.size
    inputs = pairs.inputs.reshape(-1, len(COLUMNS))
    assert ranker.model.mean == pytest.approx(inputs.mean(axis=0).tolist())
    assert ranker.metrics["ndcg"] > ranker.metrics["ndcg_popularity"]
    assert set(ranker.metrics) >= {"map", "recall", "mrr", "auc", "auc_popularity", "log_loss", "calibration_error"}
    assert set(ranker.libraries) == {"numpy", "scikit-learn"}


def rows(users: int) -> pa.Table:
    return pa.table({"user_id": [f"user-{i:03d}" for i in range(users)]})


def test_of_many_listeners_a_fixed_sample_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch.training, "MOST_REQUESTS", 10 * MIDNIGHTS)
    assert sampled(rows(10)).equals(rows(10))
    some, more = (sampled(rows(n)).column("user_id").to_pylist() for n in (100, 120))
    assert len(some) == len(set(some)) == 10
    assert some == sorted(some)
    assert some != rows(10).column("user_id").to_pylist(), "it is no list of the first"
    assert set(more) & set(rows(100).column("user_id").to_pylist()) <= set(some), (
        "who joins takes places, and changes nothing else"
    )


def test_the_card_tells_what_was_decided_and_why() -> None:
    one = trained(world("listens"))
    card = model_card(one)
    assert one.ranker is not None
    assert "# The ranker of 2026-02-01" in card
    assert "**Decision.** The logistic regression is published" in card
    assert "| gradient boosting over logistic regression |" in card
    assert one.ranker.digest in card
    assert ", ".join(f"`{name}`" for name in COLUMNS) in card
    for heading in ("Purpose", "Data and split", "Comparison", "Calibration", "NDCG@10 by activity", "Beyond accuracy", "Limits"):
        assert f"\n## {heading}\n" in card


def test_the_numbers_of_the_card_are_those_of_the_ranker() -> None:
    one = trained(world("listens"))
    assert one.ranker is not None
    line = next(line for line in model_card(one).splitlines() if line.startswith("| logistic regression | 0."))
    metrics = one.ranker.metrics
    names = ("ndcg", "map", "recall", "mrr", "auc", "log_loss", "calibration_error")
    assert line == f"| logistic regression | {' | '.join(f'{metrics[name]:.4f}' for name in names)} |"


def test_the_card_is_the_same_again() -> None:
    assert model_card(trained(world("together"))) == model_card(trained(world("together")))


def test_a_refusal_is_told_with_what_stays_in_use() -> None:
    before = replace(trained(world("listens")), as_of_ms=0).ranker
    pairs = world("popularity")
    assert "so nothing is ranked" in model_card(trained(pairs))
    card = model_card(trained(pairs, before))
    assert "No new ranker is published: no candidate beats popularity by more than chance." in card
    assert f"The ranker of {iso_date(AS_OF)} stays in use." in card
    assert before is not None
    assert before.digest in card


def test_a_night_without_anything_to_train_on_has_a_card() -> None:
    assert "No ranker was trained: nobody listened. There is none from before" in untrained_card(AS_OF, "nobody listened", None)


def test_a_comparison_that_could_not_be_made_has_a_card_too() -> None:
    pairs = world("listens", midnights=1)
    card = model_card(trained(pairs))
    assert "of the earlier midnights nobody finished an episode" in card
    assert "## Comparison" not in card


def test_a_card_of_one_show_has_no_diversity() -> None:
    pairs = world("listens")
    single = TrainingSet(pairs.inputs[:, :1], pairs.finished[:, :1], pairs.midnight_ms, pairs.listener)
    comparison: Comparison = compare(single)
    card = model_card(Trained(AS_OF, single, comparison, CATALOGUE[:1], None, None))
    assert "nan" not in card
