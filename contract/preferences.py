"""What a listener has asked of the recommender; held by the home, and by each version as it was when its night ran.

A night copies the home's preferences into the version that it publishes, and both paths take those of the version that is
active. So a row can be computed again with the preferences that held for it. What shows recommendations to a person looks at
the home as well, and honours a wish at once.

Nobody changes the file but ``change_preference``, one at a time, so no wish is lost to another one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from contract.errors import UsageError
from contract.event import LONGEST_NAME
from contract.home import write_whole
from contract.lock import locked
from contract.recommendation import NOT_PERSONAL, PRIVATE, Reason, Recommended


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


def impersonal(popular: tuple[Recommended, ...], wishes: Preference) -> tuple[Recommended, ...]:
    """Return what is popular as it is told to somebody whose past listening may not be used: first why there is nothing else."""
    why = Reason(PRIVATE if wishes.privacy_first else NOT_PERSONAL)
    return tuple(Recommended(one.item, one.score, (why, *one.reasons)) for one in popular)


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


def change_preference(path: Path, user: str, **wishes: bool) -> Preference:
    """Change some of a listener's wishes, by name, in a file of preferences; return all of them as they are now.

    Raises:
        UsageError: the file is broken, or nobody can be called so.
        InfrastructureError: the file cannot be written.
    """
    if not 0 < len(user) <= LONGEST_NAME or not user.isprintable():  # what cannot be written down is not printable either
        raise UsageError(f"No listener is called {user[:40]!r}", f"a name has 1 to {LONGEST_NAME} characters", "Mend the name")
    with locked(path.with_name(f".{path.name}.lock"), wait=True):
        known = read_preferences(path)
        changed = msgspec.structs.replace(known.get(user, Preference()), **wishes)
        write_preferences(path, {**known, user: changed})
    return changed


class WatchedPreferences:
    """A file of preferences for a process that goes on: read again whenever it was changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._known: Preferences = {}

    def of(self, user: str) -> Preference:
        """Return a listener's wishes as the file has them now.

        Raises:
            UsageError: the file is broken.
        """
        seen = self._stamp()
        if seen != self._seen:
            self._known, self._seen = read_preferences(self._path), seen
        return self._known.get(user, Preference())

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns  # each change makes a new file
