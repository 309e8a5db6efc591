"""What a listener has asked of the recommender; held by the home, and by each version as it was when its night ran.

A night copies the home's preferences into the version that it publishes, and both paths take those of the version that is
active. So a row can be computed again with the preferences that held for it. What shows recommendations to a person looks at
the home as well, and honours a wish at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from contract.errors import UsageError
from contract.home import write_whole


class Preference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One listener's wishes.

    ``personalisation`` off: only what is popular is recommended. ``privacy_first``: nothing but the current session is used,
    and nobody else's recommendations are made from what this listener heard. ``explore``: more of what is new to the listener.
    """

    personalisation: bool = True
    privacy_first: bool = False
    explore: bool = False

    @property
    def personal(self) -> bool:
        """Tell whether past listening may be used at all."""
        return self.personalisation and not self.privacy_first


Preferences = Mapping[str, Preference]
"""By listener; who is not in it has the defaults."""


def read_preferences(path: Path) -> Preferences:
    """Read what ``write_preferences`` wrote; nothing where there is no file.

    Raises:
        UsageError: the file is broken.
    """
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Preference])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"The preferences {path} cannot be read", str(error), "Mend or remove the file") from error


def write_preferences(path: Path, preferences: Preferences) -> None:
    """Write the preferences that are not the default, all at once, by name."""
    told = {user: one for user, one in sorted(preferences.items()) if one != Preference()}
    write_whole(path, msgspec.json.encode(told))
