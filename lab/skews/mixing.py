"""Columns that are computed otherwise, and taken over for some listeners only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.rows import FeatureColumns, MapColumn
from streaming.view import View


def array(columns: FeatureColumns, name: str) -> NDArray[Any]:
    """Return the column of a feature that is no map."""
    column = columns[name]
    assert not isinstance(column, MapColumn)
    return column


def recoded(window: View, **codes: NDArray[Any]) -> FeatureColumns:
    """Compute all features with other codes of items, fields of ``streaming.facts.Codes``."""
    facts = window.facts
    return window.again(facts=dataclasses.replace(facts, codes=facts.codes._replace(**codes)))


def exchanged(columns: FeatureColumns, others: FeatureColumns, names: Sequence[str], hit: NDArray[np.bool_]) -> FeatureColumns:
    """Return the columns with some of them taken from elsewhere for the listeners that are hit; none of them is a map."""
    mixed = {name: array(columns, name).copy() for name in names}
    for name, column in mixed.items():
        column[hit] = array(others, name)[hit]
    return {**columns, **mixed}
