"""Where the parts of a card stand: five lines and eight tiles fill it, fewer are spread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """Where the list and the tiles begin, from the top; how high a line and a tile are, with the room below it."""

    list_top: float
    line: float
    tiles_top: float
    tile: float


def layout(lines: int, rows: int) -> Places:
    """Spread what there is over the card: lines and tiles grow a little, what is left goes between the parts."""
    top, bottom, head, between = 484, 1746, 90 if lines else 0, 34
    line, tile = 116, 138
    spare = max(0.0, bottom - top - head - lines * line - between - rows * tile)
    grown = spare / max(lines + rows, 1)
    line_high, tile_high = line + min(26, grown), tile + min(40, grown)
    rest = bottom - top - head - lines * line_high - between - rows * tile_high
    list_top = top + rest * 0.2
    return Places(list_top, line_high, list_top + head + lines * line_high + between + rest * 0.2, tile_high)
