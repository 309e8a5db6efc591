"""One listener's settings, shown and changed: what holds, and from when on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow.parquet as pq

from contract.home import Home
from contract.preferences import Preference, change_preference, read_preferences
from contract.versions import INITIAL, Version, Versions

MEANS = {
    "personalisation": ("on: what is recommended follows what you hear", "off: only what is popular is recommended"),
    "privacy_first": (
        "on: nothing but the current session is used, and nobody else's recommendations are made from what you hear",
        "off: past listening may be used",
    ),
    "explore": ("on: more of what is new to you", "off: no more of what is new to you than of the rest"),
}


def settle(home: Home, user: str, changes: Mapping[str, bool]) -> tuple[dict[str, Any], list[str]]:
    """Change what is to be changed, and return a listener's settings for scripts and for people.

    Raises:
        UsageError: the preferences are broken, or nobody can be called so.
        InfrastructureError: they cannot be written.
    """
    if changes:
        wishes = change_preference(home.preferences, user, **changes)
    else:
        wishes = read_preferences(home.preferences).get(user, Preference())
    version = current_version(home)
    held = version.preferences.get(user, Preference()) if version else Preference()
    known = version is not None and is_known(version, user)
    document = {"user": user, **_as_dict(wishes), "held_by_version": wishes == held, "known": known}
    return document, [*_told(wishes), *_since(wishes == held), *([] if known else [_unknown(user)])]


def current_version(home: Home) -> Version | None:
    """Return the version in service; None before the first was published."""
    versions = Versions(home.versions)
    return versions.get(versions.current) if versions.names() else None


def is_known(version: Version, user: str) -> bool:
    """Tell whether a listener has a row in a version."""
    if version.name == INITIAL or not version.rows.exists():
        return False
    return bool(pq.read_table(version.rows, columns=["user_id"], filters=[("user_id", "=", user)]).num_rows)


def _as_dict(wishes: Preference) -> dict[str, bool]:
    return msgspec.structs.asdict(wishes)


def _told(wishes: Preference) -> list[str]:
    return [f"{name.replace('_', '-'):<16} {MEANS[name][0 if on else 1]}" for name, on in _as_dict(wishes).items()]


def _since(held: bool) -> list[str]:
    if held:
        return ["Both paths and whatever shows recommendations go by these."]
    return [
        "Whatever shows recommendations goes by these at once.",
        "Both paths do from the next version on: the next night takes the settings into the version that it publishes.",
    ]


def _unknown(user: str) -> str:
    return f"The version in service does not know a listener '{user}'; the settings hold from the first listen on."
