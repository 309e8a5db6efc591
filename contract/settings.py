"""Settings of a process, from flags, the environment (``SKEWLAB_*``) and defaults, in that order."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.errors import UsageError
from contract.home import Home

StackName = Literal["embedded", "external", "compose", "replay"]


class Settings(BaseSettings):
    """What a process needs to know; library code gets values, never this object."""

    model_config = SettingsConfigDict(env_prefix="SKEWLAB_", extra="ignore", frozen=True)

    home: Path = Path(".skewlab")
    stack: StackName = "embedded"
    kafka: str = "127.0.0.1:9092"
    redis: str = "redis://127.0.0.1:6379/0"
    partitions: int = Field(8, ge=1, le=64)
    step_events: int = Field(500, ge=1, le=100_000)
    served_share: float = Field(0.25, ge=0, le=1)
    spark_master: str = "local[2]"
    spark_memory: str = "1g"
    spark_host: str | None = None
    lake: str | None = None
    webhook: str | None = None

    @property
    def places(self) -> Home:
        """The home folder, resolved."""
        return Home(self.home.expanduser().resolve())

    def given(self, name: str) -> bool:
        """Tell whether a setting came from a flag or the environment, and not from its default."""
        return name in self.model_fields_set


def load_settings(**flags: Any) -> Settings:
    """Read the settings; flags that are None are left to the environment.

    Raises:
        UsageError: a value is not of its kind, or the home is no folder.
    """
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"The setting '{name}' is wrong", first["msg"], f"Change the flag or SKEWLAB_{name.upper()}") from error
    if settings.places.root.exists() and not settings.places.root.is_dir():
        raise UsageError(f"The home {settings.places.root} is no folder", "", "Name another with --home or SKEWLAB_HOME")
    return settings
