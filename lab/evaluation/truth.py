"""The truth of songs: how likely a listener does not skip one. The world knows it; no path does."""

from __future__ import annotations

import numpy as np

from batch.engagement import Engagement
from contract.catalogue import Catalogue
from contract.rows import Floats
from lab.world import World
from lab.world.listening import skip_chance


def songs(world: World) -> Catalogue:
    """Return the catalogue without episodes."""
    return Catalogue({name: item for name, item in world.catalogue.items.items() if item.is_song})


def truth(world: World, heard: Engagement) -> Floats:
    """Return the probability that a listener does not skip a song, (listeners of ``heard``, songs), songs by id."""
    place = {user: i for i, user in enumerate(world.listeners.ids)}
    code = {song: j for j, song in enumerate(world.stock.song_ids)}
    genre = world.stock.song_genre[[code[song] for song in songs(world).items]]
    taste = world.listeners.music_taste[np.array([place[user] for user in heard.users], np.int64)]
    return 1 - skip_chance(taste[:, genre])
