"""Type on a card: how wide a text is, where it has to be cut, and which installed font has its letters.

Widths come from DejaVu Sans, which matplotlib brings along: the same on every machine, so that the same figures give the same
bytes. What that font lacks is looked for among the machine's own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, LoadFlags

FAMILY = "DejaVu Sans"
_OTHERS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Source Han Sans", "Hiragino Sans", "PingFang SC", "Yu Gothic",
    "Microsoft YaHei", "Malgun Gothic", "Apple SD Gothic Neo", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Noto Sans Thai",
    "Noto Sans Devanagari", "Nirmala UI", "Leelawadee UI", "Noto Emoji", "Segoe UI Symbol", "Arial Unicode MS",
)  # fmt: skip
"""Where other scripts are found on Linux, macOS and Windows."""
_EM = 1_000


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is at a size, in the size's unit; a letter that the font lacks takes a whole square at most."""
    return sum(_advance(letter, bold) for letter in text) * size / _EM


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Return a text that fits into ``room``, cut with an ellipsis where it has to be."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and width(f"{kept}…", size, bold=bold) > room:
        kept = kept[:-1]
    while kept and unicodedata.combining(kept[-1]):
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def fitted(text: str, size: float, least: float, room: float, *, bold: bool = False) -> float:
    """Return the largest size from ``size`` down to ``least`` at which a text fits into ``room``."""
    return max(least, min(size, size * room / max(width(text, size, bold=bold), 1e-9)))


def families(texts: Iterable[str]) -> tuple[list[str], str]:
    """Return the fonts for some texts, the first one first, and the letters that none of them has."""
    lacking = {letter for text in texts for letter in text if not _font(False).get_char_index(ord(letter))}
    found = [FAMILY]
    for name in _OTHERS:
        has = {letter for letter in lacking if _has(name, letter)} if lacking else set()
        found += [name] * bool(has)
        lacking -= has
    return found, "".join(sorted(lacking))


@lru_cache(maxsize=4096)
def _advance(letter: str, bold: bool) -> int:
    font = _font(bold)
    if not font.get_char_index(ord(letter)):
        return _EM if unicodedata.east_asian_width(letter) in "WF" else 700
    font.set_size(_EM, 72)
    return round(font.load_char(ord(letter), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65_536)


@lru_cache(maxsize=2)
def _font(bold: bool) -> FT2Font:
    weight = "bold" if bold else "normal"
    return FT2Font(font_manager.findfont(font_manager.FontProperties(family=FAMILY, weight=weight)))


@lru_cache(maxsize=64)
def _installed(name: str) -> FT2Font | None:
    path = next((entry.fname for entry in font_manager.fontManager.ttflist if entry.name == name), None)
    return FT2Font(path) if path else None


def _has(name: str, letter: str) -> bool:
    font = _installed(name)
    return font is not None and bool(font.get_char_index(ord(letter)))
