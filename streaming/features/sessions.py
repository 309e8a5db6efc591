"""Sessions: runs of listens with gaps of at most half an hour."""

from __future__ import annotations

from contract.windows import DAY_MS, MINUTE_MS
from streaming.columns import Columns, share
from streaming.compiled import compiled
from streaming.constants import Constants
from streaming.desk import Desk
from streaming.window import Window


@compiled
def sessions(window: Window, constants: Constants, desk: Desk, out: Columns, i: int) -> None:
    """Compute this subject's features of a listener into row i."""
    n = _by_begin(window, (window.as_of_ms // DAY_MS - constants.session_window_d) * DAY_MS, desk)
    count, length, begin, end = 0, 0, 0, 0
    for j in range(n):
        if j == 0 or desk.begin[j] > end + constants.session_gap_ms:
            length += end - begin
            count += 1
            begin, end = desk.begin[j], desk.end[j]
        else:
            end = max(end, desk.end[j])
    out.sessions_7d[i] = count
    out.session_minutes_7d[i] = share((length + end - begin) / MINUTE_MS, count)


@compiled
def _by_begin(window: Window, start_ms: int, desk: Desk) -> int:
    """Lay the listens since ``start_ms`` out by begin; return how many they are. They come by end, which is nearly the same."""
    n = 0
    for j in range(window.first, window.end):
        if window.listens.ts[j] < start_ms:
            continue
        end = window.listens.ts[j]
        begin, at = end - window.listens.ms[j], n
        while at > 0 and desk.begin[at - 1] > begin:
            desk.begin[at], desk.end[at] = desk.begin[at - 1], desk.end[at - 1]
            at -= 1
        desk.begin[at], desk.end[at] = begin, end
        n += 1
    return n
