"""A card made to be shared: 1080 x 1920, one large number, five lines, the single figures, where it all came from."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from contract.errors import UsageError
from contract.home import placed_whole
from lab.wrapped.layout import Places, layout
from lab.wrapped.type import FAMILY, families, fitted, shortened, width

WIDE, HIGH = 1080, 1920
GROUND, ACCENT, WHITE, QUIET, TILE = "#191414", "#1DB954", "#FFFFFF", "#B3B3B3", "#272020"
EDGE = 84
ROOM = WIDE - 2 * EDGE
KINDS = ("svg", "png")
MOST_STATS = 8
_STYLE: dict[str, Any] = {"svg.hashsalt": "skewlab", "svg.fonttype": "none", "path.simplify": False}
_DPI = 72
"""A point of type is then a pixel, and an SVG's unit too."""


@dataclass(frozen=True)
class Line:
    """One place of the list; ``quiet`` stands below the name."""

    name: str
    quiet: str
    count: int


@dataclass(frozen=True)
class Card:
    """What a card says: every text in one line, of any length."""

    title: str
    period: str
    hero: str
    hero_label: str
    list_title: str
    lines: Sequence[Line]
    stats: Sequence[tuple[str, str]]
    footer: str

    def texts(self) -> list[str]:
        """Return every text of the card."""
        flat = [text for pair in self.stats for text in pair] + [text for line in self.lines for text in (line.name, line.quiet)]
        return [self.title, self.period, self.hero, self.hero_label, self.list_title, self.footer, *flat]


def kind_of(path: Path) -> str:
    """Return ``svg`` or ``png``.

    Raises:
        UsageError: the file ends otherwise.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"The card {path} cannot be drawn", "a card is an SVG or a PNG", "Let its name end in .svg or .png")
    return kind


def write_card(card: Card, path: Path) -> str:
    """Draw a card and write it, whole or not at all; return the letters that no font of this machine has.

    Raises:
        UsageError: the file is to end otherwise than in .svg or .png.
        InfrastructureError: it cannot be written there.
    """
    content, lacking = drawn(card, kind_of(path))
    with placed_whole(path) as temporary:
        temporary.write_bytes(content)
    return lacking


def drawn(card: Card, kind: str) -> tuple[bytes, str]:
    """Return a card as the bytes of an SVG or PNG, and the letters that no font has; the same card gives the same bytes."""
    fonts, lacking = families(card.texts())
    out = io.BytesIO()
    style: Any = {**_STYLE, "font.family": fonts}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # told by ``lacking``
        figure = Figure(figsize=(WIDE / _DPI, HIGH / _DPI), dpi=_DPI, facecolor=GROUND)
        _draw(figure, card)
        figure.savefig(out, format=kind, facecolor=GROUND, metadata=_nameless(kind))
    return (_portable(out.getvalue()) if kind == "svg" else out.getvalue()), "" if kind == "svg" else lacking


def _nameless(kind: str) -> dict[str, str | None]:
    return {"Date": None, "Creator": "skewlab"} if kind == "svg" else {"Software": None}


def _portable(svg: bytes) -> bytes:
    """Return an SVG in pixels that names fonts of other machines too, whichever this one has."""
    text = re.sub(r"'DejaVu Sans'(, *'[^']*')*", f"'{FAMILY}', Verdana, sans-serif", svg.decode())
    return text.replace(f'width="{WIDE}pt" height="{HIGH}pt"', f'width="{WIDE}" height="{HIGH}"').encode()


def _draw(figure: Figure, card: Card) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDE)
    axes.set_ylim(HIGH, 0)
    _head(axes, card)
    places = layout(len(card.lines), -(-len(card.stats[:MOST_STATS]) // 2))
    _list(axes, card, places)
    _stats(axes, card.stats[:MOST_STATS], places)
    _foot(axes, card.footer)


def _head(axes: Axes, card: Card) -> None:
    for place, high in enumerate((26, 50, 36, 62, 42)):
        _box(axes, EDGE + 17 * place, 150 - high, 9, high, ACCENT, 4.5)
    left = EDGE + 108
    _text(axes, left, 116 if card.period else 134, card.title, 34, WIDE - EDGE - left, bold=True)
    _text(axes, left, 150, card.period, 25, WIDE - EDGE - left, colour=QUIET)
    size = fitted(card.hero, 200, 60, ROOM, bold=True)
    _text(axes, EDGE - 0.05 * size, 372, card.hero, size, ROOM + 20, colour=ACCENT, bold=True)
    _text(axes, EDGE, 454, card.hero_label, 38, ROOM)


def _list(axes: Axes, card: Card, places: Places) -> None:
    if card.lines:
        _text(axes, EDGE, places.list_top + 62, card.list_title, 38, ROOM, bold=True)
    most = max((line.count for line in card.lines), default=1)
    for place, line in enumerate(card.lines):
        _line(axes, places.list_top + 90 + places.line * place, place + 1, line, line.count / most)


def _line(axes: Axes, top: float, place: int, line: Line, share: float) -> None:
    left, count = EDGE + 72, f"{line.count:,}"
    room = WIDE - EDGE - left - 30 - width(count, 34, bold=True)
    _text(axes, EDGE, top + 58, str(place), 48, 60, colour=ACCENT, bold=True)
    _text(axes, left, top + (44 if line.quiet else 58), line.name, 34, room, bold=True)
    _text(axes, left, top + 80, line.quiet, 26, room, colour=QUIET)
    _text(axes, WIDE - EDGE, top + 54, count, 34, ROOM, bold=True, align="right")
    _box(axes, left, top + 97, WIDE - EDGE - left, 6, TILE, 3)
    _box(axes, left, top + 97, max(6.0, (WIDE - EDGE - left) * share), 6, ACCENT, 3)


def _stats(axes: Axes, stats: Sequence[tuple[str, str]], places: Places) -> None:
    gap = 20
    half, high = (ROOM - gap) / 2, places.tile - gap
    for place, (label, value) in enumerate(stats):
        alone = place == len(stats) - 1 and place % 2 == 0
        left, top = EDGE + (half + gap) * (place % 2), places.tiles_top + places.tile * (place // 2)
        wide = ROOM if alone else half
        middle, room = top + high / 2, wide - 56
        _box(axes, left, top, wide, high, TILE, 18)
        _text(axes, left + 28, middle - 14, label, 24, room, colour=QUIET)
        _text(axes, left + 28, middle + 34, value, fitted(value, 37, 27, room, bold=True), room, bold=True)


def _foot(axes: Axes, footer: str) -> None:
    """Write where it came from, in two lines where it takes them."""
    first, _, rest = footer.partition(": ")
    _text(axes, EDGE, 1826, f"{first}:" if rest else first, 23, ROOM, colour=QUIET)
    _text(axes, EDGE, 1860, rest, 23, ROOM, colour=QUIET)


def _text(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    size: float,
    room: float,
    *,
    colour: str = WHITE,
    bold: bool = False,
    align: str = "left",
) -> None:
    """Write a text with its base line at y, cut to its room; a dollar sign is a dollar sign."""
    told = shortened(text, size, room, bold=bold)
    if told:
        weight = "bold" if bold else "normal"
        axes.text(x, y, told, fontsize=size, color=colour, fontweight=weight, ha=align, va="baseline", parse_math=False)


def _box(axes: Axes, x: float, y: float, wide: float, high: float, colour: str, radius: float) -> None:
    shape = f"round,pad=0,rounding_size={min(radius, wide / 2, high / 2)}"
    axes.add_patch(FancyBboxPatch((x, y), wide, high, boxstyle=shape, facecolor=colour, edgecolor="none", linewidth=0))
