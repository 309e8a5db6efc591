"""What a listen is: skip, play or replay, and what engagement it shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.event import MUSIC, PODCAST
from contract.features import FeatureConstants
from streaming.tables import Table, changes


def is_skip(listens: Table, constants: FeatureConstants) -> NDArray[np.bool_]:
    """Tell which listens are skips."""
    limit = np.where(listens["kind"] == PODCAST, constants.podcast_skip_ms, constants.music_skip_ms)
    return np.asarray(listens["ms"] < limit)


def replays(listens: Table, row: NDArray[np.int64], constants: FeatureConstants) -> NDArray[np.bool_]:
    """Tell which listens are music plays with an earlier play of the item in the replay window. Equal ts is never earlier."""
    plays = np.flatnonzero(~is_skip(listens, constants))
    plays = plays[np.lexsort((listens["ts"][plays], listens["item"][plays], row[plays]))]
    ts, item, who = listens["ts"][plays], listens["item"][plays], row[plays]
    run = np.maximum.accumulate(np.where(changes(who, item, ts), np.arange(len(plays)), 0))  # start of the run of equal ts
    before = np.maximum(run - 1, 0)
    earlier = (run > 0) & (who[before] == who) & (item[before] == item) & (ts - ts[before] <= constants.replay_window_ms)
    found = np.zeros(len(listens), bool)
    found[plays[earlier]] = True
    return np.asarray(found & (listens["kind"] == MUSIC))


def tenths(listens: Table, skip: NDArray[np.bool_], constants: FeatureConstants) -> NDArray[np.int64]:
    """Return the engagement of each listen, in tenths."""
    played = np.where(listens["replay"], constants.replay_tenths, constants.play_tenths)
    return np.where(skip, constants.skip_tenths, played).astype(np.int64)
