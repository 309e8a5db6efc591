"""The ranker's artefact: a model kept as numbers, which says what the fitted model said, and refuses to be anything else."""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import contract.ranker as artefact
from batch.candidates import CANDIDATES, NUDGE, Fitted, fit_boosted
from contract.errors import UsageError
from contract.ranker import COLUMNS, DEEPEST, LEAF, MOST_NODES, MOST_TREES, Linear, Ranker, Show, Tree, Trees
from contract.rows import Floats
from streaming.score import _linear, _trees

STUMP = Tree((1, LEAF, LEAF), (0.5, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.0, -1.0, 2.0))
SHOWS = (Show("a", "news", 0.5, 0.4, 30.0), Show("b", None, 0.1, 0.0, 20.0))
LINEAR = Ranker(
    COLUMNS[:2], (0.0, 0.5), Linear((1.0, 2.0), (1.0, 4.0), (0.5, -0.5), 0.1), SHOWS, 7, 9, {"numpy": "2"}, {"auc": 0.7}
)
BOOSTED = msgspec.structs.replace(LINEAR, model=Trees(-3.0, 0.1, (STUMP, STUMP)))


def pairs(n: int = 2000, seed: int = 5) -> tuple[Floats, np.ndarray]:
    """Inputs with nulls and steps, and outcomes that depend on two columns together."""
    rng = np.random.default_rng(seed)
    inputs = np.round(rng.random((n, 4)), 2)
    finished = (rng.random(n) < np.where((inputs[:, 0] > 0.5) & (inputs[:, 1] < 0.3), 0.6, 0.02)).astype(np.int64)
    inputs[rng.random((n, 4)) < 0.1] = np.nan
    return inputs, finished


@pytest.mark.parametrize("ranker", [LINEAR, BOOSTED], ids=["linear", "trees"])
def test_what_is_read_is_what_was_written(ranker: Ranker, tmp_path: Path) -> None:
    ranker.write(tmp_path / "ranker.json")
    read = Ranker.read(tmp_path / "ranker.json")
    assert (read, read.digest) == (ranker, ranker.digest)
    assert type(read.model) is type(ranker.model)


def logit(fitted: Fitted, inputs: Floats) -> Floats:
    """What the live path's scorer makes of a fitted model's numbers."""
    filled = np.where(np.isnan(inputs), fitted.fill, inputs)
    columns, shape = list(filled.T[:, :, None]), (len(inputs), 1)
    model = fitted.model
    return (_linear(model, columns, shape) if isinstance(model, Linear) else _trees(model, columns, shape))[:, 0]


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_numbers_say_what_the_fitted_model_said(name: str) -> None:
    inputs, finished = pairs()
    fitted = CANDIDATES[name](inputs, finished)
    said = 1 / (1 + np.exp(-logit(fitted, inputs)))
    np.testing.assert_allclose(said, fitted.predict(inputs), atol=1e-12)
    fitted.model.check(4)


@pytest.mark.parametrize("name", CANDIDATES)
def test_fitting_again_gives_the_same_numbers(name: str) -> None:
    assert CANDIDATES[name](*pairs()).model == CANDIDATES[name](*pairs()).model


def test_nulls_are_filled_by_the_mean_and_what_is_always_null_by_nothing() -> None:
    inputs = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    for fit in CANDIDATES.values():
        assert fit(inputs, np.array([0, 1, 0])).fill.tolist() == [2.0, 0.0]


def test_trees_find_what_two_columns_say_together_only() -> None:
    inputs, finished = pairs()
    told = fit_boosted(inputs, finished).predict(np.array([[0.9, 0.1, 0.5, 0.5], [0.9, 0.9, 0.5, 0.5], [0.1, 0.1, 0.5, 0.5]]))
    assert told[0] > 0.4
    assert told[1:].max() < 0.1


def test_leaving_out_negatives_does_not_raise_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    finished = (rng.random(40_000) < 0.01).astype(np.int64)
    assert fit_boosted(rng.random((40_000, 2)), finished).predict(rng.random((1000, 2))).mean() == pytest.approx(0.01, rel=0.2)


def test_a_value_midway_between_two_falls_to_one_side_whatever_its_last_bit() -> None:
    x = np.repeat([0.25, 0.75], 50)
    fitted = fit_boosted(x[:, None], (x > 0.5).astype(np.int64))
    beside = np.array([np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1)])[:, None]
    assert isinstance(fitted.model, Trees)
    assert fitted.model.trees[0].threshold[0] == 0.5 + NUDGE
    assert len(set(logit(fitted, beside).tolist())) == 1


def tree(**lists: Any) -> Trees:
    return Trees(0.0, 0.1, (msgspec.structs.replace(STUMP, **lists),))


def chain(depth: int) -> Trees:
    """A tree whose inner nodes lead to the next, with a leaf beside each."""
    n = 2 * depth + 1
    inner = [i % 2 == 0 and i < n - 1 for i in range(n)]
    lists = [tuple(a if one else b for one in inner) for a, b in ((0, LEAF), (0.5, 0.0))]
    children = [tuple(i + d if one else 0 for i, one in enumerate(inner)) for d in (1, 2)]
    return Trees(0.0, 0.1, (Tree(*lists, *children, (0.0,) * n),))


def test_a_tree_may_be_as_deep_as_is_allowed() -> None:
    chain(DEEPEST).check(2)


BROKEN: dict[str, dict[str, Any]] = {
    "no column of that name": {"columns": ("plays_7d", "x; DROP TABLE rows")},
    "a column twice": {"columns": ("plays_7d", "plays_7d")},
    "a fill too few": {"fill": (0.0,)},
    "an infinite fill": {"fill": (0.0, math.inf)},
    "no shows": {"shows": ()},
    "a show twice": {"shows": (SHOWS[0], SHOWS[0])},
    "a show of no popularity": {"shows": (Show("a", None, math.nan, 0.0, 0.0),)},
    "a weight too many": {"model": Linear((1.0, 2.0), (1.0, 1.0), (0.1, 0.2, 0.3), 0.0)},
    "a mean too few": {"model": Linear((1.0,), (1.0, 1.0), (0.1, 0.2), 0.0)},
    "a scale of nothing": {"model": Linear((1.0, 2.0), (1.0, 0.0), (0.1, 0.2), 0.0)},
    "an infinite bias": {"model": Linear((1.0, 2.0), (1.0, 1.0), (0.1, 0.2), math.inf)},
    "no trees": {"model": Trees(0.0, 0.1, ())},
    "too many trees": {"model": Trees(0.0, 0.1, (STUMP,) * (MOST_TREES + 1))},
    "a prior of no number": {"model": Trees(math.nan, 0.1, (STUMP,))},
    "an empty tree": {"model": Trees(0.0, 0.1, (Tree((), (), (), (), ()),))},
    "lists of two lengths": {"model": tree(value=(0.0, 1.0))},
    "a column out of range": {"model": tree(feature=(2, LEAF, LEAF))},
    "a column below nothing": {"model": tree(feature=(-2, LEAF, LEAF))},
    "a child out of range": {"model": tree(right=(3, 0, 0))},
    "a child below nothing": {"model": tree(left=(-1, 0, 0))},
    "a loop": {"model": tree(left=(0, 0, 0))},
    "a loop of two": {"model": tree(feature=(1, 1, LEAF), left=(1, 0, 0), right=(2, 2, 0))},
    "a threshold of no number": {"model": tree(threshold=(math.nan, 0.0, 0.0))},
    "an infinite value": {"model": tree(value=(0.0, math.inf, 0.0))},
    "a tree too deep": {"model": chain(DEEPEST + 1)},
    "a tree too large": {"model": Trees(0.0, 0.1, (Tree(*[(LEAF,) * (MOST_NODES + 1)] * 5),))},
    "an enormous number": {"model": tree(left=(10**30, 0, 0))},
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_ranker_cannot_be_made(what: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        msgspec.structs.replace(LINEAR, **BROKEN[what])


def hostile(path: Path, ranker: dict[str, Any]) -> Path:
    """Write a file whose digest is right, as somebody would who means harm."""
    digest = hashlib.sha256(msgspec.json.encode(ranker)).hexdigest()
    path.write_bytes(msgspec.json.encode({"digest": digest, "ranker": ranker}))
    return path


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_ranker_cannot_be_read(what: str, tmp_path: Path) -> None:
    plain = msgspec.to_builtins(BOOSTED)
    path = hostile(tmp_path / "ranker.json", {**plain, **msgspec.to_builtins(BROKEN[what])})
    with pytest.raises(UsageError, match="cannot be read"):
        Ranker.read(path)


def test_a_whole_file_is_read_whoever_wrote_it(tmp_path: Path) -> None:
    assert Ranker.read(hostile(tmp_path / "ranker.json", msgspec.to_builtins(BOOSTED))) == BOOSTED


@given(data=st.data())
def test_no_file_breaks_the_reader(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("hostile") / "ranker.json"
    BOOSTED.write(path)
    written = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(written) - 1))
    end = data.draw(st.integers(at, min(at + 8, len(written))))
    written[at:end] = data.draw(st.binary(max_size=8))
    path.write_bytes(bytes(written))
    with suppress(UsageError):
        assert Ranker.read(path) == BOOSTED, "what differs is refused"


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b'{"digest":"","ranker":' + b'{"x":' * 50_000, b"\xff", b"null"])
def test_what_is_no_artefact_at_all_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ranker.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        Ranker.read(path)


def test_a_number_too_large_for_a_float_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ranker.json"
    BOOSTED.write(path)
    path.write_bytes(path.read_bytes().replace(b'"prior":-3.0', b'"prior":1e999'))
    with pytest.raises(UsageError, match="cannot be read"):
        Ranker.read(path)


def test_a_file_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "LARGEST_FILE", 10)
    LINEAR.write(tmp_path / "ranker.json")
    with pytest.raises(UsageError, match="more than 10 bytes"):
        Ranker.read(tmp_path / "ranker.json")
