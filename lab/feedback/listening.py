"""What a world's listeners hear in a week: what they would choose by themselves, and what they take from the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from batch.engagement import Engagement
from batch.neighbours import Ints, Mask
from batch.recommending.for_you import SHOWN
from contract.features import FeatureConstants
from contract.rows import Floats
from lab.world import World
from lab.world.chance import stream
from lab.world.listening import begun, skip_chance

CONSTANTS = FeatureConstants()
WEEK = 7
ATTENTION = 1 / np.log2(np.arange(SHOWN) + 2)
"""How likely each place of the shelf is chosen, relative to the first: the discount of NDCG."""


@dataclass(frozen=True)
class Heard:
    """k listens to songs in columns of shape (k,): listener and song codes, when it ended, and whether it was a play."""

    listener: Ints
    song: Ints
    end_ms: Ints
    played: Mask

    @staticmethod
    def concat(parts: Sequence[Heard]) -> Heard:
        """Return the listens of several stretches of time together."""
        return Heard(*(np.concatenate([getattr(part, name) for part in parts]) for name in Heard.__annotations__))

    def take(self, which: Mask) -> Heard:
        """Return some of the listens."""
        return Heard(*(getattr(self, name)[which] for name in Heard.__annotations__))


@dataclass(frozen=True)
class Week:
    """The listens of a week as they would be without a shelf, and the chance that decides what a shelf makes of them.

    ``follows`` (k,) in [0, 1): those below the followed share take a song from the shelf, at ``place``. ``patience`` (k,) in
    [0, 1): the song is skipped where it lies below the chance of a skip. All arms of an experiment share them.
    """

    alone: Heard
    follows: Floats
    place: Ints
    patience: Floats

    @staticmethod
    def of(world: World, week: int) -> Week:
        """Draw the seven days from day ``7 x week`` on; episodes are left out."""
        alone = Heard.concat([_alone(world, day) for day in range(week * WEEK, (week + 1) * WEEK)])
        rng, k = stream(world.seed, "shelf", week), len(alone.song)
        place = np.searchsorted(np.cumsum(ATTENTION) / ATTENTION.sum(), rng.random(k), side="right")
        return Week(alone, rng.random(k), np.minimum(place, SHOWN - 1), rng.random(k))

    def with_shelf(self, shelf: Ints, share: float, skipping: Floats) -> Heard:
        """Return what is heard if a ``share`` of the listens takes from the ``shelf`` (n, SHOWN).

        ``skipping`` (n, m) is the true chance that a listener skips a song.
        """
        who, takes = self.alone.listener, self.follows < share
        song = np.where(takes, shelf[who, self.place], self.alone.song)
        played = np.where(takes, self.patience >= skipping[who, song], self.alone.played)
        return Heard(who, song, self.alone.end_ms, played)


def _alone(world: World, day: int) -> Heard:
    rng, listeners = stream(world.seed, "alone", day), world.listeners
    active = np.flatnonzero((rng.random(len(listeners)) >= listeners.idle) & (listeners.joined_day <= day))
    found = begun(rng, world.midnight(day), active, listeners, world.stock)
    music = found.item < len(world.stock.song_ids)
    played = found.ms_played[music] >= CONSTANTS.music_skip_ms
    return Heard(found.listener[music], found.item[music], found.end_ms[music], played)


def skipping(world: World) -> Floats:
    """Return the truth: how likely each listener skips each song, (n, m)."""
    return skip_chance(world.listeners.music_taste[:, world.stock.song_genre])


def engagement(world: World, heard: Heard) -> Engagement:
    """Return the engagement that a night would collect from these listens: the best of replay, play and skip of each pair."""
    n, m = len(world.listeners), len(world.stock.song_ids)
    pair = heard.listener * m + heard.song
    tenths = np.where(heard.played, CONSTANTS.play_tenths, CONSTANTS.skip_tenths)
    plays = np.flatnonzero(heard.played)
    plays = plays[np.lexsort((heard.end_ms[plays], pair[plays]))]
    gap = np.diff(heard.end_ms[plays])
    again = (np.diff(pair[plays]) == 0) & (gap > 0) & (gap <= CONSTANTS.replay_window_ms)
    tenths[plays[1:][again]] = CONSTANTS.replay_tenths
    best = np.zeros(n * m, np.int64)
    np.maximum.at(best, pair, tenths)
    return Engagement(tuple(world.listeners.ids.tolist()), world.stock.song_ids, csr_array(best.reshape(n, m) / 10))
