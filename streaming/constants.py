"""The numbers in the definitions, in the form that compiled functions take."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from contract.features import FeatureConstants


class Constants(NamedTuple):
    """The fields of ``contract.features.FeatureConstants``."""

    music_skip_ms: int
    podcast_skip_ms: int
    replay_window_ms: int
    session_gap_ms: int
    half_life_ms: int
    short_window_h: int
    week_window_h: int
    month_window_d: int
    session_window_d: int
    night_from_hour: int
    night_until_hour: int
    calendar_offset_min: int
    skip_tenths: int
    play_tenths: int
    replay_tenths: int

    @staticmethod
    def of(constants: FeatureConstants) -> Constants:
        """Take the fields over."""
        return Constants._make(_FIELDS(constants))


_FIELDS = attrgetter(*Constants._fields)
