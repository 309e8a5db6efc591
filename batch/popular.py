"""What is recommended to whoever wants nothing personal: what most listeners play."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from batch.engagement import Engagement
from contract.features import FeatureConstants
from contract.preferences import Preference, Preferences
from contract.recommendation import POPULAR, Reason, Recommended
from contract.version import POPULAR as POPULAR_FILE
from contract.version import Version

TOP = 20


def popular(heard: Engagement, wishes: Preferences, constants: FeatureConstants) -> tuple[Recommended, ...]:
    """Return up to ``TOP`` items by the share of listeners who play them, equals by name; the share is the score.

    Listeners who want privacy first are not counted: nothing is learned from them.
    """
    counted = np.array([not wishes.get(user, Preference()).privacy_first for user in heard.users], bool)
    matrix = heard.matrix[counted]
    played = np.rint(matrix.data * 10) >= constants.play_tenths
    plays = np.bincount(matrix.indices[played], minlength=len(heard.items))
    best = [j for j in np.argsort(-plays, kind="stable")[:TOP].tolist() if plays[j] > 0]
    shares = [float(plays[j] / counted.sum()) for j in best]
    return tuple(
        Recommended(heard.items[j], share, (Reason(POPULAR, value=share),)) for j, share in zip(best, shares, strict=True)
    )


def write_popular(draft: Path, heard: Engagement, active: Version, wishes: Preferences, constants: FeatureConstants) -> None:
    """Write ``popular.json``: what is popular of what the catalogue knows."""
    found = popular(heard.known(active.catalogue), wishes, constants)
    (draft / POPULAR_FILE).write_bytes(msgspec.json.encode(found))
