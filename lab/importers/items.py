"""The table of items that a mapping joins, as a catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from contract.catalogue import AUDIO_FEATURES, Catalogue, Item
from contract.errors import UsageError
from contract.windows import HOUR_MS
from lab.importers.mapping import Items
from lab.importers.read import column_of, durations, numbers, read_table

LONGEST_MS = 12 * HOUR_MS
_TEXTS = ("artist", "show", "genre", "show_genre")
_FIELDS = (*_TEXTS, "explicit", "release_ms", *AUDIO_FEATURES)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


def read_items(folder: Path, items: Items) -> tuple[Catalogue, dict[str, int]]:
    """Return the catalogue, and how many rows each rule touched.

    Raises:
        UsageError: the file, a column or a value is missing or wrong.
    """
    unknown = [name for name in items.columns if name not in _FIELDS]
    if unknown:
        raise UsageError(f"'{unknown[0]}' is no field of an item", f"known are {', '.join(_FIELDS)}", "Mend the mapping")
    frame = read_table(folder, items.file)
    named = column_of(frame, items.key, "the items' key").str.strip() != ""
    frame, nameless = frame[named], int((~named).sum())
    keys = frame[items.key].tolist()
    fields = {name: _values(name, column_of(frame, column, name)) for name, column in items.columns.items()}
    if items.duration is not None:
        known = durations(frame, items.duration, "the items' duration", LONGEST_MS)
        fields["duration_ms"] = [int(value) if value >= 1 else None for value in known.fillna(0).round()]
    found = [
        Item(item_id=key, title=items.title.replace("{item_id}", key), **{name: column[i] for name, column in fields.items()})
        for i, key in enumerate(keys)
    ]
    twice = {"items named twice: the last one holds": len(found) - len(set(keys))}
    return Catalogue.of(found), {**twice, "items without a name: left out": nameless} if nameless else twice


def _values(name: str, column: pd.Series) -> list[Any]:
    if name in _TEXTS:
        return [value or None for value in column]
    if name == "explicit":
        return [_TRUTH[_known(name, value.strip().lower(), value.strip().lower() in _TRUTH)] for value in column]
    values = numbers(column)
    pairs = zip(column, values, strict=True)
    read = [None if not text.strip() else float(_known(name, text, not pd.isna(value))) for text, value in pairs]
    return [None if value is None else int(value) for value in read] if name == "release_ms" else read


def _known(name: str, text: str, good: bool) -> str:
    if not good:
        raise UsageError(f"'{text}' is no value of '{name}'", "", "Mend the item table, or leave the field out of the mapping")
    return text
