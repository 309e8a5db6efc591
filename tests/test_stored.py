"""Rows as the store keeps them: small, and all there when they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contract.errors import InfrastructureError
from contract.rows import Rows, map_column
from contract.stored import packed_rows, unpacked_row
from contract.versions import Version
from tests.logs import home_of, listeners_of, one_log, written


@pytest.fixture(scope="module")
def rows_and_version(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Version]:
    """The rows of a whole partition's last step, scored."""
    return last_rows(tmp_path_factory.mktemp("stored"))


def last_rows(folder: Path) -> tuple[Rows, Version]:
    home, versions = home_of(folder)
    log = written([one_log("stored", listeners_of(0, 1))], activated=[20])
    path = log.path(home, 0)
    log.consume(path, size=10_000)
    return path.rows(sorted(path.states.listeners), path.clock.as_of_ms, path.overrides.at(0, path.offset)), versions[
        path.version
    ]


def test_a_row_comes_back_as_it_was(rows_and_version: tuple[Rows, Version]) -> None:
    rows, version = rows_and_version
    expected = rows.to_arrow().to_pylist(maps_as_pydicts="strict")
    packed = packed_rows(rows, version)
    assert len(packed) == len(rows) > 1
    assert max(map(len, packed)) < 1_000
    assert not any(blob.startswith(b"{") for blob in packed)
    assert [unpacked_row(blob, row["user_id"], lambda _: version) for blob, row in zip(packed, expected, strict=True)] == expected
    assert any(row["show_completion_28d"] for row in expected)


def test_nulls_come_back_as_nulls(rows_and_version: tuple[Rows, Version]) -> None:
    rows, version = rows_and_version
    vector = np.full_like(rows.features["user_vector"], np.nan)
    nulls = {"top_genre": np.full(len(rows), None), "skip_rate_28d": np.full(len(rows), np.nan), "user_vector": vector}
    unscored = rows.replace(features={**rows.features, **nulls}, shows=None, scores=None)
    found = unpacked_row(packed_rows(unscored, version)[0], rows.user_id[0], lambda _: version)
    assert found == unscored.to_arrow().to_pylist(maps_as_pydicts="strict")[0]
    assert {name for name, value in found.items() if value is None} == {*nulls, "shows", "scores"}


def test_a_name_that_only_a_skew_can_make_is_kept_too(rows_and_version: tuple[Rows, Version]) -> None:
    rows, version = rows_and_version
    row, keys = np.zeros(1, np.int64), np.array(["a-show-of-nobody"], object)
    odd = rows.replace(features={**rows.features, "show_completion_28d": map_column(row, keys, np.array([0.5]), len(rows))})
    found = unpacked_row(packed_rows(odd, version)[0], rows.user_id[0], lambda _: version)
    assert found == odd.to_arrow().to_pylist(maps_as_pydicts="strict")[0]
    assert found["show_completion_28d"] == {"a-show-of-nobody": 0.5}


def test_a_row_of_a_version_that_is_not_at_hand_says_so(rows_and_version: tuple[Rows, Version]) -> None:
    rows, version = rows_and_version
    with pytest.raises(InfrastructureError, match=f"is of version '{version.name}'"):
        unpacked_row(packed_rows(rows, version)[0], "ann", lambda _: None)
