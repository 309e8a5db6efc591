"""A year in review of any loyalty data: a mapping says what in a table is the member, the item, its group, amount and time.

Every row becomes a row of the log that the figures are worked out from: a purchase counts as a play, the group stands where a
song's artist does. So a coffee shop's figures are defined, word for word, as a listener's are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.catalogue import Catalogue, Item
from contract.errors import UsageError
from contract.event import UTC_OFFSETS_MIN
from contract.windows import MINUTE_MS
from lab.importers.mapping import Time
from lab.importers.read import EARLIEST_MS, LATEST_MS, column_of, milliseconds, numbers, read_table
from lab.wrapped.log import Log

GUIDE = "See docs/wrapped.md"


class Amount(BaseModel):
    """How much a row is worth: a column of numbers and the word for its unit ("euros", "pages")."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    unit: str = Field(min_length=1, max_length=24)


class Words(BaseModel):
    """What things are called, in the plural where there are several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(default="A year in review", max_length=40)
    records: str = Field(default="records", max_length=24)
    items: str = Field(default="items", max_length=24)
    group: str = Field(default="group", max_length=24)


class LoyaltyMapping(BaseModel):
    """A whole mapping; ``item``, ``group`` and ``member`` name columns. Times are local, ``utc_offset_min`` ahead of UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    member: str
    item: str
    time: Time
    group: str | None = None
    amount: Amount | None = None
    utc_offset_min: int = Field(default=0, ge=UTC_OFFSETS_MIN[0], le=UTC_OFFSETS_MIN[1])
    words: Words = Words()


@dataclass(frozen=True)
class Loyalty:
    """Loyalty data in memory: its log, its words, and how many rows were left out, by reason."""

    log: Log
    mapping: LoyaltyMapping
    left_out: dict[str, int]


def read_loyalty(mapping_file: Path, table_file: Path) -> Loyalty:
    """Read a table (CSV or Parquet) by a mapping; rows that cannot be used are counted.

    Raises:
        UsageError: the mapping or the table cannot be read, a column is missing, a unit is wrong, or no row is usable.
    """
    mapping = _mapping(mapping_file)
    table = read_table(table_file.parent, table_file.name)
    if table.empty:
        raise UsageError(f"There is no usable row in {table_file.name}", "it holds a head alone", "Look at the table")
    rows = _rows(table, mapping)
    kept, left_out = _kept(rows)
    if not kept.any():
        told = ", ".join(f"{count} with {reason}" for reason, count in left_out.items())
        raise UsageError(f"There is no usable row in {table_file.name}", told, f"Mend the table or its mapping. {GUIDE}")
    return Loyalty(_log(rows[kept], mapping, table_file.name), mapping, left_out)


def _mapping(path: Path) -> LoyaltyMapping:
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"The mapping {path} cannot be read", why, f"Give a YAML file. {GUIDE}") from error
    try:
        return LoyaltyMapping.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(f"The mapping {path} is wrong at '{where}'", first["msg"], GUIDE) from error


def _rows(table: pd.DataFrame, mapping: LoyaltyMapping) -> pd.DataFrame:
    """Return the mapped columns: member, item, group as text, amount (1 without one) and ts_ms as float64, NaN where none."""
    group, amount = mapping.group, mapping.amount
    return pd.DataFrame(
        {
            "member": column_of(table, mapping.member, "member").str.strip(),
            "item": column_of(table, mapping.item, "item").str.strip(),
            "group": column_of(table, group, "group").str.strip() if group else "",
            "amount": numbers(column_of(table, amount.column, "amount")) if amount else 1.0,
            "ts_ms": _instants(table, mapping.time),
        },
        index=table.index,
    )


def _instants(table: pd.DataFrame, time: Time) -> pd.Series:
    """Read the times; NaN outside 1990 to 2100.

    Raises:
        UsageError: there are numbers or dates, and not one of them lies inside: the unit was guessed wrong.
    """
    values = milliseconds(table, time, "time")
    inside = (values >= EARLIEST_MS) & (values < LATEST_MS)
    if values.notna().any() and not inside.any():
        why = f"with unit '{time.unit}' none lies between 1990 and 2100"
        raise UsageError(f"The times of column '{time.column}' cannot be right", why, "Name the right unit: ms, s, min or iso")
    return values.where(inside)


def _kept(rows: pd.DataFrame) -> tuple[pd.Series, dict[str, int]]:
    """Return which rows can be used; the others are counted by the first rule that leaves them out."""
    kept = pd.Series(True, rows.index)
    left_out: dict[str, int] = {}
    for reason, good in _rules(rows).items():
        left_out[reason] = int((kept & ~good).sum())
        kept &= good
    return kept, {reason: count for reason, count in left_out.items() if count}


def _rules(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "no member": rows["member"] != "",
        "no item": rows["item"] != "",
        "no time": rows["ts_ms"].notna(),
        "no amount of 0 or more": rows["amount"] >= 0,
    }


def _log(rows: pd.DataFrame, mapping: LoyaltyMapping, source: str) -> Log:
    """Return usable rows as a log; the same name in two groups is two items."""
    key = (rows["item"] + "\n" + rows["group"]).where(rows["group"] != "", rows["item"])
    known = zip(key, rows["item"], rows["group"], strict=True)
    ts = rows["ts_ms"].round().astype("int64")
    log = pd.DataFrame(
        {
            "user": rows["member"],
            "item": key,
            "podcast": False,
            "play": True,
            "amount": rows["amount"],
            "ts_ms": ts,
            "local_ms": ts + mapping.utc_offset_min * MINUTE_MS,
        }
    )
    catalogue = Catalogue.of(Item(item, title, artist=group or None) for item, title, group in dict.fromkeys(known))
    return Log(log, catalogue, source, measured=mapping.amount is not None, taste=False)
