"""What a world's listeners have heard, as a night would collect it: the same definitions over the same events, without Spark."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from batch.engagement import Engagement
from contract.event import MUSIC, Events, Ints, Names
from contract.features import FeatureConstants
from contract.windows import days_start
from lab.world import World

CONSTANTS = FeatureConstants()


def heard_before(world: World, day: int) -> Engagement:
    """Return the engagement as of the midnight that begins a day, from what the collector had got by then."""
    days = range(day - CONSTANTS.month_window_d - 1, day)
    events = [world.received(one) for one in days if one >= -world.history_days]
    return engagement_of(Events.concat(events), world.midnight(day))


def engagement_of(events: Events, as_of_ms: int) -> Engagement:
    """Return the engagement as of an instant of events in the order of their arrival."""
    events = _once(events)
    tenths = _tenths(events)
    inside = (events.ts_ms >= days_start(as_of_ms, CONSTANTS.month_window_d)) & (events.ts_ms < as_of_ms)
    events, tenths = events.take(inside), tenths[inside]
    users, row = np.unique(events.user_id.astype(str), return_inverse=True)
    items, column = np.unique(events.item_id.astype(str), return_inverse=True)
    order = np.lexsort((tenths, column, row))
    pair = (row * len(items) + column)[order]
    best = order[np.flatnonzero(np.append(np.diff(pair) > 0, len(pair) > 0))]
    matrix = csr_array((tenths[best] / 10, (row[best], column[best])), (len(users), len(items)))
    country = dict(zip(events.user_id.tolist(), events.country.tolist(), strict=True))
    return Engagement(tuple(users.tolist()), tuple(items.tolist()), matrix, country)


def _once(events: Events) -> Events:
    """Drop duplicates: the first of each (user, event, instant) stays."""
    code = _coded(events.user_id, events.event_id)
    order = np.lexsort((np.arange(len(events)), events.ts_ms, code))
    again = (np.diff(code[order], prepend=-1) == 0) & (np.diff(events.ts_ms[order], prepend=-1) == 0)
    return events.take(np.sort(order[~again]))


def _tenths(events: Events) -> Ints:
    """Return each listen's engagement in tenths: a skip, a play, or a play soon after another one."""
    pair = _coded(events.user_id, events.item_id)
    music = events.kind == MUSIC
    play = events.ms_played >= np.where(music, CONSTANTS.music_skip_ms, CONSTANTS.podcast_skip_ms)
    order = np.flatnonzero(play)
    order = order[np.lexsort((events.ts_ms[order], pair[order]))]
    ts, same = events.ts_ms[order], np.diff(pair[order], prepend=-1) == 0
    instant = np.cumsum(~(same & (np.diff(ts, prepend=-1) == 0))) - 1  # plays of a pair at one instant are one
    first = np.flatnonzero(np.diff(instant, prepend=-1))
    gap = np.append(CONSTANTS.replay_window_ms + 1, np.diff(ts[first]))
    soon = (same[first] & (gap <= CONSTANTS.replay_window_ms))[instant]
    tenths = np.where(play, CONSTANTS.play_tenths, CONSTANTS.skip_tenths)
    tenths[order[soon & music[order]]] = CONSTANTS.replay_tenths
    return tenths


def _coded(names: Names, others: Names) -> Ints:
    """Return one number for each pair of names."""
    key = np.char.add(names.astype(str), np.char.add("\n", others.astype(str)))
    return np.asarray(np.unique(key, return_inverse=True)[1], np.int64)
