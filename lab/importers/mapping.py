"""The mapping file of ``skewlab import csv``: which column means what, in which unit, and what to do with what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.errors import UsageError

Unit = Literal["ms", "s", "min", "iso"]
MS = {"ms": 1, "s": 1_000, "min": 60_000}


class Time(BaseModel):
    """A column of instants or durations. ``iso`` is for instants written as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    unit: Unit = "ms"


class Played(Time):
    """How much was played. ``missing``: drop such a row, or take the item's whole duration. ``longer``: keep, or clip to it."""

    missing: Literal["drop", "item-duration"] = "drop"
    longer: Literal["keep", "clip"] = "keep"


class Columns(BaseModel):
    """The columns of an event; what has no column stands under ``constants``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: str
    item_id: str
    ts_ms: Time
    ms_played: Played
    kind: str | None = None
    device: str | None = None
    country: str | None = None
    utc_offset_min: str | None = None


class Constants(BaseModel):
    """The same for all rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["music", "podcast"] = "music"
    device: Literal["phone", "desktop", "speaker", "car", "web"] = "phone"
    country: str = Field(default="ZZ", pattern="^[A-Z]{2}$")
    utc_offset_min: int = Field(default=0, ge=-720, le=840)


class Items(BaseModel):
    """A table of items to join: catalogue fields by the name of their column; ``title`` may use ``{item_id}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    key: str
    title: str = "{item_id}"
    duration: Time | None = None
    columns: dict[str, str] = {}


class Mapping(BaseModel):
    """A whole mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    files: tuple[str, ...] = Field(min_length=1)
    columns: Columns
    constants: Constants = Constants()
    items: Items | None = None


def read_mapping(path: Path) -> Mapping:
    """Read a mapping.

    Raises:
        UsageError: it cannot be read, or says something that no mapping says.
    """
    try:
        document: Any = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise UsageError(f"There is no mapping {path}", "", "Give a YAML file; see docs/import.md") from error
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise UsageError(
            f"The mapping {path} cannot be read", str(error).splitlines()[0], "Give a YAML file; see docs/import.md"
        ) from error
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(f"The mapping {path} is wrong at '{where}'", first["msg"], "See docs/import.md") from error
