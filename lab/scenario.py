"""A scenario: a world or an import, a stack, days, skews with the day on which each begins. A YAML file, or made in code."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.errors import UsageError
from contract.settings import StackName


class ImportSource(BaseModel):
    """Input that nobody here made: a folder and the mapping that says what its columns mean; or a log folder, without one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    mapping: Path | None = None


RankerName = Literal["logistic regression", "gradient boosting"]


class Scenario(BaseModel):
    """What a run does.

    ``days`` None takes all days of an import; ``users`` and ``history_days`` are for simulated worlds. ``stack`` and
    ``step_events`` None leave it to the settings. ``rebuild`` makes the live path's state again where a skew ends, as if it had
    never acted; without it the damage lingers. ``ranker`` names the models that compete: one by default, so that quality
    changes by a run's skews, not by a change of model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    seed: int = Field(default=7, ge=0)
    days: int | None = Field(default=14, ge=1, le=400)
    users: int = Field(default=500, ge=1, le=1_000_000)
    history_days: int = Field(default=28, ge=0, le=60)
    stack: StackName | None = None
    step_events: int | None = Field(default=None, ge=1, le=100_000)
    skews: tuple[str, ...] = ()
    rebuild: bool = True
    ranker: tuple[RankerName, ...] = ("logistic regression",)
    source: ImportSource | None = None


DEMO = Scenario(name="demo", skews=("podcast-resume@7",))


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file; ``${NAME}`` stands for a variable of the environment, paths are relative to the file.

    Raises:
        UsageError: the file cannot be read, or says something that no scenario says.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise UsageError(f"There is no scenario {path}", "", "See examples/") from error
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise UsageError(f"The scenario {path} cannot be read", str(error).splitlines()[0], "Give a YAML file") from error
    if not isinstance(document, dict):
        raise UsageError(f"The scenario {path} is no mapping of keys to values", "", "See examples/")
    document = _filled_in(document)
    return _in_folder(_checked({"name": path.stem, **document}, str(path)), path.parent)


def changed(scenario: Scenario, **flags: Any) -> Scenario:
    """Return the scenario with what was given on the command line; None leaves it as it is."""
    given = {name: value for name, value in flags.items() if value is not None}
    return _checked({**scenario.model_dump(), **given}, scenario.name)


def _checked(document: dict[str, Any], called: str) -> Scenario:
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"'{where}' of scenario {called} is wrong", first["msg"], "See docs/scenarios.md") from error


def _in_folder(scenario: Scenario, folder: Path) -> Scenario:
    """Take a scenario's relative paths from its folder."""
    source = scenario.source
    if source is None:
        return scenario
    mapping = folder / source.mapping if source.mapping else None
    return scenario.model_copy(update={"source": ImportSource(path=folder / source.path, mapping=mapping)})


def _filled_in(value: Any) -> Any:
    """Exchange the variables in all texts of a document."""
    if isinstance(value, dict):
        return {key: _filled_in(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled_in(inner) for inner in value]
    return re.sub(r"\$\{(\w+)\}", _variable, value) if isinstance(value, str) else value


def _variable(found: re.Match[str]) -> str:
    name = found[1]
    if name not in os.environ:
        raise UsageError(f"The scenario asks for the variable {name}", "it is not set", f"Set {name} to the data's folder")
    return os.environ[name]
