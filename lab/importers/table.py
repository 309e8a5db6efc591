"""CSV and Parquet tables into a log, by a mapping. Every rule that touches a row is declared and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from contract.catalogue import Catalogue
from contract.errors import UsageError
from contract.event import DEVICES, KINDS, LONGEST_NAME, NO_DURATION, UTC_OFFSETS_MIN, Events
from contract.records import DEEPEST
from contract.windows import DAY_MS
from lab.importers.items import LONGEST_MS, read_items
from lab.importers.mapping import Mapping, read_mapping
from lab.importers.read import column_of, durations, instants, numbers, read_table
from lab.importers.report import REFUSED, Report
from lab.importers.taken import Fields, Taken


def import_tables(folder: Path, mapping_path: Path, out: Path, *, replace: bool = False) -> Report:
    """Import the files that a mapping names into a new log folder.

    Raises:
        UsageError: as ``take_tables``; or the folder is there already, or cannot be written.
    """
    return take_tables(folder, mapping_path).write(out, replace=replace)


def take_tables(folder: Path, mapping_path: Path) -> Taken:
    """Read the files that a mapping names; nothing is written.

    Raises:
        UsageError: the mapping, a file or a column is missing or wrong, a unit was guessed wrong, or no row is usable.
    """
    mapping = read_mapping(mapping_path)
    report = Report(mapping.source)
    catalogue = Catalogue.of([])
    if mapping.items is not None:
        catalogue, report.rules = read_items(folder, mapping.items)
    tables = [read_table(folder, name) for name in mapping.files]
    placed = [
        table.assign(_file=name, _row=lambda frame: np.arange(len(frame)))
        for name, table in zip(mapping.files, tables, strict=True)
    ]
    rows = pd.concat(placed, ignore_index=True)
    report.rows = len(rows)
    if not len(rows):
        raise UsageError("There is no usable row", f"{', '.join(mapping.files)} hold a head alone", "Look at the table")
    return Taken(report, catalogue, _events(rows, mapping, catalogue, report), _fields(tables, mapping))


def _fields(tables: list[pd.DataFrame], mapping: Mapping) -> Fields:
    """Count the cells that hold something by column; the columns that the mapping names are kept."""
    named = mapping.columns.model_dump(exclude_none=True).values()
    fields = Fields(frozenset(value["column"] if isinstance(value, dict) else value for value in named))
    for table in tables:
        fields.rows.update({name: int((table[name].str.strip() != "").sum()) for name in table.columns})
    return fields


def _events(rows: pd.DataFrame, mapping: Mapping, catalogue: Catalogue, report: Report) -> Events:
    columns = mapping.columns
    users, items = (column_of(rows, name, what) for name, what in ((columns.user_id, "user_id"), (columns.item_id, "item_id")))
    known = items.map({item.item_id: item.duration_ms for item in catalogue.items.values()}).astype("float64")
    played = _completed(durations(rows, columns.ms_played, "ms_played", LONGEST_MS), known, mapping, report)
    ts = instants(rows, columns.ts_ms, "ts_ms")
    rules = {
        "dropped: no time, or no usable listening time": ts.notna() & (played >= 0) & (played <= DAY_MS),
        "dropped: no listener or no item": _is_name(users) & _is_name(items),
    }
    country, offset = _country(rows, mapping), _offset(rows, mapping)
    if columns.country:
        rules["dropped: no two-letter country"] = country.str.fullmatch("[A-Z]{2}")
    if columns.utc_offset_min:
        rules["dropped: no offset from UTC in whole minutes"] = (offset % 1 == 0) & offset.between(*UTC_OFFSETS_MIN)
    kept = _filtered(report, rules)
    if mapping.items is not None:
        report.rules["item not in the item table"] = int((~items.isin(list(catalogue.items)))[kept].sum())
    frame = rows.assign(_ts=ts, _played=played, _user=users, _item=items, _known=known, _country=country, _offset=offset)
    events = _columnar(frame[kept].sort_values(["_ts", "_file", "_row"], kind="stable"), mapping)
    report.measure(events)
    return events


def _filtered(report: Report, rules: dict[str, pd.Series]) -> pd.Series:
    """Return which rows all rules keep; each dropped row is counted by the first rule that drops it."""
    kept = pd.Series(True, next(iter(rules.values())).index)
    for rule, good in rules.items():
        report.rules[rule] = int((kept & ~good).sum())
        kept &= good
    if not kept.any():
        told = ", ".join(f"{count} {rule}" for rule, count in report.rules.items() if rule.startswith(REFUSED) and count)
        raise UsageError(f"There is no usable row among {report.rows}", told, "Look at the table and its mapping")
    return kept


def _is_name(column: pd.Series) -> pd.Series:
    brackets = column.str.count(r"[\[{]")  # the judge takes a record with too many for a nested one
    return (column.str.strip() != "") & (column.str.len() <= LONGEST_NAME) & (brackets < DEEPEST // 4)


def _country(rows: pd.DataFrame, mapping: Mapping) -> pd.Series:
    name = mapping.columns.country
    return column_of(rows, name, "country") if name else pd.Series(mapping.constants.country, rows.index, dtype=object)


def _offset(rows: pd.DataFrame, mapping: Mapping) -> pd.Series:
    name = mapping.columns.utc_offset_min
    return numbers(column_of(rows, name, "utc_offset_min")) if name else pd.Series(mapping.constants.utc_offset_min, rows.index)


def _completed(played: pd.Series, known: pd.Series, mapping: Mapping, report: Report) -> pd.Series:
    """Apply the declared rules for listening times that are missing or longer than the item."""
    rules = mapping.columns.ms_played
    missing = played.isna()
    if rules.missing == "item-duration":
        played = played.where(~missing, known)
        report.rules["listening time missing: the item's duration taken"] = int((missing & known.notna()).sum())
    longer = played > known
    if rules.longer == "clip":
        played = played.where(~longer, known)
        report.rules["listening time longer than the item: clipped to it"] = int(longer.sum())
    return played


def _columnar(kept: pd.DataFrame, mapping: Mapping) -> Events:
    n = len(kept)
    columns, constants = mapping.columns, mapping.constants
    nothing = np.full(n, None, object)
    ts = _whole(kept["_ts"])
    return Events(
        offset=np.zeros(n, np.int64),
        event_id=_objects(f"{file}:{row}" for file, row in zip(kept["_file"], kept["_row"], strict=True)),
        user_id=_objects(kept["_user"]),
        item_id=_objects(kept["_item"]),
        session_hint=nothing,
        kind=_codes(kept, columns.kind, constants.kind, KINDS, "kind"),
        ts_ms=ts,
        received_at_ms=ts,
        ms_played=_whole(kept["_played"]),
        duration_ms=_whole(kept["_known"].fillna(NO_DURATION)),
        utc_offset_min=_whole(kept["_offset"]),
        device=_codes(kept, columns.device, constants.device, DEVICES, "device"),
        country=_objects(kept["_country"]),
        rec_id=nothing,
    )


def _codes(frame: pd.DataFrame, column: str | None, constant: str, names: tuple[str, ...], what: str) -> np.ndarray:
    values = column_of(frame, column, what).tolist() if column else [constant] * len(frame)
    wrong = next((value for value in values if value not in names), None)
    if wrong is not None:
        raise UsageError(
            f"'{wrong}' is no {what}", f"known are {', '.join(names)}", "Mend the column, or name a constant instead"
        )
    return np.array([names.index(value) for value in values], np.uint8)


def _whole(column: pd.Series) -> np.ndarray:
    return np.asarray(column.round().astype("int64"))


def _objects(values: Any) -> np.ndarray:
    found = list(values)
    column = np.empty(len(found), object)
    column[:] = found
    return column
