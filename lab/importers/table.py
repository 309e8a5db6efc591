"""CSV and Parquet tables into a log, by a mapping. Every rule that touches a row is declared and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from contract.catalogue import AUDIO_FEATURES, Catalogue, Item
from contract.errors import UsageError
from contract.event import DEVICES, KINDS, NO_DURATION, Events
from contract.windows import DAY_MS, HOUR_MS, SECOND_MS
from lab.folder import write_log
from lab.importers.mapping import MS, Items, Mapping, Time, read_mapping

SHORTEST_MS, LONGEST_MS = SECOND_MS, 12 * HOUR_MS
"""A median duration outside is no listening: the unit was guessed wrong."""
_FIELDS = ("artist", "show", "genre", "show_genre", "explicit", "release_ms", *AUDIO_FEATURES)


@dataclass
class Report:
    """What an import did: rows read and kept, and how many rows each rule touched."""

    source: str
    rows: int = 0
    events: int = 0
    listeners: int = 0
    items: int = 0
    days: int = 0
    rules: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return dict(vars(self))

    def lines(self) -> list[str]:
        """Return it for people."""
        head = (
            f"{self.source}: {self.events} of {self.rows} rows, {self.listeners} listeners, {self.items} items, {self.days} days"
        )
        return [head, *(f"  {count:>6}  {rule}" for rule, count in self.rules.items())]


def import_tables(folder: Path, mapping_path: Path, out: Path, *, replace: bool = False) -> Report:
    """Import the files that a mapping names into a new log folder.

    Raises:
        UsageError: the mapping, a file or a column is missing or wrong, or a unit was guessed wrong.
    """
    mapping = read_mapping(mapping_path)
    report = Report(mapping.source)
    catalogue = _catalogue(folder, mapping.items, report)
    tables = [_table(folder, name).assign(_file=name, _row=lambda frame: np.arange(len(frame))) for name in mapping.files]
    rows = pd.concat(tables, ignore_index=True)
    report.rows = len(rows)
    events = _events(rows, mapping, catalogue, report)
    write_log(out, catalogue, _by_day(events), report.document(), replace=replace)
    return report


def _table(folder: Path, name: str) -> pd.DataFrame:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UsageError(f"The mapping names '{name}'", "it lies outside the data's folder", "Name files below it")
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name} cannot be read", str(error).splitlines()[0], f"Look for {name} in the data's folder"
        ) from error


def _column(frame: pd.DataFrame, name: str, what: str) -> pd.Series:
    if name not in frame.columns:
        known = ", ".join(column for column in map(str, frame.columns) if not column.startswith("_"))
        raise UsageError(f"There is no column '{name}' for {what}", f"the table has {known}", "Mend the mapping")
    return frame[name]


def _milliseconds(frame: pd.DataFrame, time: Time, what: str) -> pd.Series:
    column = _column(frame, time.column, what)
    if time.unit == "iso":
        parsed = pd.to_datetime(column, utc=True, errors="coerce")
        return (parsed - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(milliseconds=1)
    return pd.to_numeric(column, errors="coerce") * MS[time.unit]


def _require_duration(values: pd.Series, time: Time, what: str) -> None:
    median = float(values.median())
    if not SHORTEST_MS <= median <= LONGEST_MS:
        raise UsageError(
            f"The median of {what} is {median:g} ms with unit '{time.unit}' for column '{time.column}'",
            "no listening is that short or long",
            f"Try another unit: {', '.join(unit for unit in (*MS, 'iso') if unit != time.unit)}",
        )


def _catalogue(folder: Path, items: Items | None, report: Report) -> Catalogue:
    if items is None:
        return Catalogue.of([])
    frame = _table(folder, items.file)
    keys = _text(_column(frame, items.key, "the items' key"))
    unknown = [name for name in items.columns if name not in _FIELDS]
    if unknown:
        raise UsageError(f"'{unknown[0]}' is no field of an item", f"known are {', '.join(_FIELDS)}", "Mend the mapping")
    fields: dict[str, list[Any]] = {name: _plain(_column(frame, column, name)) for name, column in items.columns.items()}
    if items.duration is not None:
        durations = _milliseconds(frame, items.duration, "the items' duration")
        _require_duration(durations, items.duration, "the items' duration")
        fields["duration_ms"] = [int(value) if value > 0 else None for value in durations.fillna(0).round()]
    found = [
        Item(item_id=key, title=items.title.format(item_id=key), **{name: column[i] for name, column in fields.items()})
        for i, key in enumerate(keys)
    ]
    report.rules["items named twice: the last one holds"] = len(found) - len(set(keys))
    return Catalogue.of(found)


def _events(rows: pd.DataFrame, mapping: Mapping, catalogue: Catalogue, report: Report) -> Events:
    columns = mapping.columns
    ts = _milliseconds(rows, columns.ts_ms, "ts_ms")
    played = _milliseconds(rows, columns.ms_played, "ms_played")
    _require_duration(played.dropna(), columns.ms_played, "ms_played")
    items = pd.Series(_text(_column(rows, columns.item_id, "item_id")), rows.index)
    known = items.map({item.item_id: item.duration_ms for item in catalogue.items.values()}).astype("float64")
    played = _completed(played, known, mapping, report)
    good = ts.notna() & played.notna() & (played >= 0) & (played <= DAY_MS)
    report.rules["dropped: no time, or no usable listening time"] = int((~good).sum())
    report.rules["item not in the item table"] = int((~items.isin(list(catalogue.items)))[good].sum())
    kept = rows[good].assign(_ts=ts[good].round().astype("int64"), _played=played[good].round().astype("int64"))
    kept = kept.assign(_item=items[good], _known=known[good].fillna(NO_DURATION).astype("int64"))
    kept = kept.sort_values(["_ts", "_file", "_row"], kind="stable")
    events = _columnar(kept, mapping)
    report.events, report.listeners, report.items = len(events), len(set(events.user_id)), len(set(events.item_id))
    report.days = len(np.unique(events.ts_ms // DAY_MS))
    return events


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
    ts = kept["_ts"].to_numpy()
    return Events(
        offset=np.zeros(n, np.int64),
        event_id=_objects(f"{file}:{row}" for file, row in zip(kept["_file"], kept["_row"], strict=True)),
        user_id=_objects(_text(_column(kept, columns.user_id, "user_id"))),
        item_id=_objects(kept["_item"]),
        session_hint=nothing,
        kind=_codes(kept, columns.kind, constants.kind, KINDS, "kind"),
        ts_ms=ts,
        received_at_ms=ts,
        ms_played=kept["_played"].to_numpy(),
        duration_ms=kept["_known"].to_numpy(),
        utc_offset_min=_numbers(kept, columns.utc_offset_min, constants.utc_offset_min),
        device=_codes(kept, columns.device, constants.device, DEVICES, "device"),
        country=_objects(_text(_column(kept, columns.country, "country")) if columns.country else [constants.country] * n),
        rec_id=nothing,
    )


def _by_day(events: Events) -> list[Events]:
    day = events.received_at_ms // DAY_MS
    return [events.take(day == one) for one in np.unique(day)]


def _codes(frame: pd.DataFrame, column: str | None, constant: str, names: tuple[str, ...], what: str) -> np.ndarray:
    values = _text(_column(frame, column, what)) if column else [constant] * len(frame)
    wrong = next((value for value in values if value not in names), None)
    if wrong is not None:
        raise UsageError(
            f"'{wrong}' is no {what}", f"known are {', '.join(names)}", "Mend the column, or name a constant instead"
        )
    return np.array([names.index(value) for value in values], np.uint8)


def _numbers(frame: pd.DataFrame, column: str | None, constant: int) -> np.ndarray:
    if column is None:
        return np.full(len(frame), constant, np.int64)
    return np.asarray(pd.to_numeric(_column(frame, column, "utc_offset_min")), np.int64)


def _text(column: pd.Series) -> list[str]:
    """Return values as text; whole numbers without their fraction."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return [str(value) for value in column]


def _plain(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in column.tolist()]


def _objects(values: Any) -> np.ndarray:
    found = list(values)
    column = np.empty(len(found), object)
    column[:] = found
    return column
